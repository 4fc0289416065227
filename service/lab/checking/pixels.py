"""Measure one picture: sharpness, light, noise, cuts by augmentation, and two short descriptions to compare it by.

All of it is plain OpenCV and numpy. The description called embedding is a small Lab thumbnail and a grid of gradient
orientations: it knows colours and layout, not what is shown.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.ports import Image

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
SIDE: Final = 640
"""Longest side in pixels at which everything is measured; larger pictures are scaled down first."""


def at_scale(image: Image) -> Image:
    """Return the picture with its longest side at `SIDE` at most."""
    return image if max(image.shape[:2]) <= SIDE else resized(image, SIDE)


def resized(image: Image, side: int) -> Image:
    """Return the picture with its longest side at `side` pixels and the other at 1 at least."""
    scale = side / max(image.shape[:2])
    if scale * min(image.shape[:2]) > 0.5:
        return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    height, width = (max(1, round(scale * length)) for length in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def blur(grey: Grey) -> float:
    """Return how blurred a picture is: 0 sharp, 1 blurred.

    Source: Crete, Dolmiere, Ladret, Nicolas, "The Blur Effect: Perception and Estimation with a New No-Reference
    Perceptual Blur Metric", SPIE 2007: how little of the variation a second blur (11 pixels wide) takes away.
    """
    values = grey.astype(np.float32)
    shares = []
    for axis, size in ((0, (1, 11)), (1, (11, 1))):
        before = np.abs(np.diff(values, axis=axis))
        after = np.abs(np.diff(cv2.blur(values, size), axis=axis))
        total = float(before.sum())
        shares.append(1.0 - float(np.maximum(before - after, 0).sum()) / total if total else 1.0)
    return max(shares)


def impulses(grey: Grey) -> float:
    """Return the share of pixels that look like salt or pepper: extreme, and far from the median around them."""
    around = cv2.medianBlur(grey, 5)
    extreme = (grey >= 225) | (grey <= 30)
    return float(np.mean(extreme & (cv2.absdiff(grey, around) > 60)))


def seams(grey: Grey) -> tuple[float, float]:
    """Return how complete the straightest vertical and horizontal cut is, in the middle 70 % of the picture.

    Of each candidate column the share of rows that jump exactly there and not beside it, in the poorer of both halves:
    a real cut goes through the whole picture, the edge of a wall or a pole seldom does.
    """
    return _cut(grey), _cut(np.ascontiguousarray(grey.T))


def _cut(grey: Grey) -> float:
    values = grey.astype(np.int16)
    jump = np.abs(np.diff(values, axis=1))
    beside = np.maximum(jump[:, :-4], jump[:, 4:])  # two pixels away, beyond what JPEG smears
    middle = jump[:, 2:-2]
    here = (middle > 12) & (middle > 2 * beside)
    here = here[:, :-1] | here[:, 1:]  # a scaled cut lies on one of two columns
    width = here.shape[1]
    low, high = round(0.15 * width), round(0.85 * width)
    if high - low < 8:
        return 0.0
    half = here.shape[0] // 2
    if not half:
        return 0.0
    shares = np.minimum(here[:half].mean(axis=0), here[half:].mean(axis=0))[low:high]
    return float(shares.max())


def patches(image: Image) -> int:
    """Count black rectangles with straight edges that stand alone in something brighter: cut-outs."""
    strongest = cv2.max(cv2.max(image[..., 0], image[..., 1]), image[..., 2])
    black = (strongest <= 12).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4)
    sides, areas = stats[1:, 2:4], stats[1:, 4]
    straight = (sides.min(axis=1) >= 6) & (sides.max(axis=1) <= 0.35 * max(image.shape[:2]))
    straight &= areas >= 0.92 * sides.prod(axis=1)
    found = 0
    for x, y, width, height, area in stats[1:][straight]:
        around = strongest[max(0, y - 3) : y + height + 3, max(0, x - 3) : x + width + 3]
        ring = around.sum(dtype=np.int64) / max(1, around.size - area)
        found += bool(ring > 40)
    return found


def light(image: Image) -> tuple[float, float]:
    """Return the median brightness (0..255) and the mean colourfulness: difference of channels, 0..255."""
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).astype(np.int16)
    return float(np.median(small.max(axis=2))), float((small.max(axis=2) - small.min(axis=2)).mean())


def fingerprint(grey: Grey) -> int:
    """Return a 64-bit perceptual hash: signs of the low frequencies of a 32x32 thumbnail.

    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (the DCT hash).
    """
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def embedding(image: Image, grey: Grey) -> Floats:
    """Return (448,) float32 of length 1: an 8x8 Lab thumbnail and 4x4 cells of 16 gradient orientations."""
    lab = cv2.cvtColor(cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2LAB).astype(np.float32)
    colours = ((lab - 128) / 128 * (0.5, 1.5, 1.5)).ravel()
    small = cv2.resize(grey, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32)
    dx, dy = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(dx, dy)
    bins = np.minimum((angle / (2 * np.pi) * 16).astype(np.int64), 15)
    rows, columns = np.mgrid[0:128, 0:128] // 32
    cells = np.bincount(((rows * 4 + columns) * 16 + bins).ravel(), strength.ravel(), minlength=256)
    layout = np.sqrt(cells / max(float(cells.sum()), 1e-6))
    return _unit(np.concatenate([_unit(colours), _unit(layout)]))


def _unit(values: NDArray[np.floating]) -> Floats:
    length = float(np.linalg.norm(values))
    return (values / length if length else values).astype(np.float32)
