"""Show training pictures as a poor camera would: coarse, noisy, dark, blurred, grey.

Datasets hold mostly photographs; a fixed camera at a site gives small people on a cheap sensor, at dusk. Corruptions of
training pictures carry over to real ones of the same kind: Hendrycks, Dietterich, "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations", ICLR 2019, arXiv 1903.12261; Rusak et al., "A Simple Way to Make
Neural Networks Robust Against Diverse Image Corruptions", ECCV 2020, arXiv 2001.06057.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""


def degrade(images: Any, share: float, dice: random.Random) -> Any:
    """Return a batch in which about `share` of the pictures are spoilt, each in one way; boxes stay where they are.

    Args:
        images: tensor (batch, 3, height, width), RGB, 0 to 1; not changed.
        share: of the pictures, 0 to 1.
        dice: decides which pictures, how and how much.
    """
    chosen = [index for index in range(len(images)) if dice.random() < share]
    if not chosen:
        return images
    spoilt = images.clone()
    for index in chosen:
        spoil = dice.choice(WAYS)
        spoilt[index] = spoil(images[index : index + 1], dice)[0].clamp(0, 1)
    return spoilt


def _coarse(image: Any, dice: random.Random) -> Any:
    """Take a picture of 1.5 to 4 times fewer pixels a side."""
    from torch.nn.functional import interpolate

    height, width = image.shape[2:]
    factor = dice.uniform(1.5, 4)
    small = max(1, round(height / factor)), max(1, round(width / factor))
    less = interpolate(image, size=small, mode="bilinear", antialias=True)
    return interpolate(less, size=(height, width), mode="bilinear")


def _noisy(image: Any, dice: random.Random) -> Any:
    """Add the noise of a sensor: the same strength everywhere, 1 to 6 % of full white."""
    import torch

    return image + dice.uniform(0.01, 0.06) * torch.randn_like(image)


def _dark(image: Any, dice: random.Random) -> Any:
    """Take away light: a gamma of 1.2 to 2.5, then up to half of what is left."""
    return image ** dice.uniform(1.2, 2.5) * dice.uniform(0.5, 1)


def _blurred(image: Any, dice: random.Random) -> Any:
    """Move the camera while the shutter is open: 3 to 9 pixels along a row or a column."""
    from torch.nn.functional import avg_pool2d

    length = dice.choice((3, 5, 7, 9))
    kernel = (1, length) if dice.random() < 0.5 else (length, 1)
    return avg_pool2d(image, kernel, 1, (kernel[0] // 2, kernel[1] // 2), count_include_pad=False)


def _grey(image: Any, _dice: random.Random) -> Any:
    """Show luma alone, as a camera does under infrared."""
    red, green, blue = (image[:, channel] * weight for channel, weight in enumerate(GREY))
    return (red + green + blue).unsqueeze(1).expand_as(image)


WAYS: tuple[Callable[[Any, random.Random], Any], ...] = (_coarse, _noisy, _dark, _blurred, _grey)
