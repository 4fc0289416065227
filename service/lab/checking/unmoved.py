"""Does a background stand still from one picture to the other? So it does before a fixed camera, whoever walks there.

Local features go to what is sharpest: in a crowd to the people, who differ. Here pictures are compared cell by cell, in
place, by normalised cross-correlation (Lewis, "Fast Normalized Cross-Correlation", 1995): light may change.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS: Final = 16
SIDE: Final = 10
"""Pixels of a cell."""
FLAT: Final = 2.0
"""Standard deviation (of 255) under which a quarter of a cell shows nothing: sky, walls, bars at a picture's border."""
ALIKE: Final = 0.8
"""Correlation from which two cells show the same."""
LEAST: Final = 20
SHARE: Final = 0.3
"""Share of the cells with texture, and their number, that must show the same. Of 1,000 pairs of different pictures 999
stay under 0.03."""

Cells = NDArray[np.float32]


def cells(grey: NDArray[np.uint8]) -> Cells:
    """Return (256, 100) float32: cells of a grey picture, stretched to a square, without their coarse shading.

    Each has the mean 0 and the length 1; one without texture is 0 throughout.
    """
    wide = CELLS * SIDE
    small = cv2.resize(grey, (wide, wide), interpolation=cv2.INTER_AREA).astype(np.float32)
    quarters = _cut(small, SIDE // 2).reshape(CELLS, 2, CELLS, 2, -1)
    textured = (quarters.std(axis=-1) >= FLAT).all(axis=(1, 3)).ravel()
    fine = _cut(small - cv2.GaussianBlur(small, (0, 0), 4), SIDE).reshape(CELLS * CELLS, -1)
    fine = fine - fine.mean(axis=1, keepdims=True)
    length = np.linalg.norm(fine, axis=1, keepdims=True)
    return np.where(textured[:, None], fine / np.maximum(length, 1e-6), 0).astype(np.float32)


def unmoved(one: Cells, other: Cells) -> bool:
    """Tell whether enough of what is textured in both pictures is the same, in the same place."""
    textured = one.any(axis=1) & other.any(axis=1)
    alike = int(((one * other).sum(axis=1) >= ALIKE).sum())
    return alike >= max(LEAST, SHARE * int(textured.sum()))


def _cut(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return (rows, columns, side * side): a square picture cut into squares."""
    count = len(image) // side
    return image.reshape(count, side, count, side).swapaxes(1, 2).reshape(count, count, -1)
