"""Fit a picture into a model's input without changing its proportions, and bring boxes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.ports import Image

PAD: Final = 114
"""Grey of the padding, as in training."""

Shape = tuple[int, int]
"""(height, width) of a model's input in pixels, both multiples of 32."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture was placed: scaled by `scale`, then moved by (`left`, `top`) pixels."""

    scale: float
    left: int
    top: int

    def back(self, boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Bring (n, 4) x1 y1 x2 y2 boxes from the input to the picture, cut to its edges."""
        moved = (boxes - np.array([self.left, self.top, self.left, self.top])) / self.scale
        within: NDArray[np.float32] = np.clip(moved, 0, [width, height, width, height]).astype(np.float32)
        return within


def best_shape(width: int, height: int, shapes: tuple[Shape, ...]) -> Shape:
    """Return the input shape in which a picture of this size keeps most pixels with the least padding."""
    return max(shapes, key=lambda shape: (round(_scale(width, height, shape), 6), -shape[0] * shape[1]))


def letterbox(image: Image, shape: Shape) -> tuple[Image, Fit]:
    """Scale and pad `image` to `shape`, centred, with bilinear sampling (as the model was trained)."""
    height, width = image.shape[:2]
    scale = _scale(width, height, shape)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    if (new_width, new_height) != (width, height):
        image = np.asarray(cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR), np.uint8)
    spare_x, spare_y = shape[1] - new_width, shape[0] - new_height
    left, top = round(spare_x / 2 - 0.1), round(spare_y / 2 - 0.1)
    if spare_x or spare_y:
        sides = top, spare_y - top, left, spare_x - left
        image = np.asarray(cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=(PAD, PAD, PAD)), np.uint8)
    return np.ascontiguousarray(image), Fit(scale, left, top)


def _scale(width: int, height: int, shape: Shape) -> float:
    return min(shape[0] / height, shape[1] / width)
