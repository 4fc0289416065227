"""Where labels go on a picture: inside it, beside their person, and on nobody's head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SMALLEST: Final = 0.3
"""Text of a smaller scale can't be read: it is left out."""
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """How labels are written on one picture: the same size for all, and the room that each takes."""

    scale: float
    thickness: int
    padding: int
    sizes: NDArray[np.int64]
    """(n, 2) width and height of each label's background in pixels."""


def writing_for(texts: list[str], boxes: Matrix, width: int, height: int) -> Writing | None:
    """Choose a size of text for a picture and the people on it; None where no readable text fits."""
    side = (width * height) ** 0.5
    typical = float(np.median(boxes[:, 3] - boxes[:, 1]))
    scale = 0.5 * (side / 600) ** 0.8 * min(max(typical / (0.25 * side), 0.7), 1.0)
    scale = max(scale, 0.4)
    while scale >= SMALLEST:
        writing = _writing(texts, scale)
        if (writing.sizes <= (width, height)).all():
            return writing
        scale *= 0.9
    return None


def _writing(texts: list[str], scale: float) -> Writing:
    thickness, padding = max(1, round(scale * 1.5)), max(2, round(7 * scale))
    sizes = []
    for text in texts:
        lines = [cv2.getTextSize(line, _FONT, scale, thickness)[0] for line in text.splitlines()]
        high = sum(size[1] for size in lines) + padding * (len(lines) + 1)
        sizes.append((max(size[0] for size in lines) + 2 * padding, high))
    return Writing(scale, thickness, padding, np.array(sizes, dtype=np.int64).reshape(-1, 2))


def place(sizes: NDArray[np.int64], boxes: Matrix, heads: Matrix, width: int, height: int) -> NDArray[np.int64]:
    """Find a place for each label: the first choice that hides no head and no other label, or the least bad one.

    Args:
        sizes: (n, 2) width and height of the labels; each fits into the picture.
        boxes, heads: (n, 4) people and their heads.

    Returns:
        (n, 2) top left corners; every label lies inside the picture.
    """
    taken = np.empty((0, 4))
    corners = []
    for size, box in zip(sizes, boxes, strict=True):
        choices = np.clip(_choices(box, size), 0, np.array([width, height]) - size)
        spots = np.hstack([choices, choices + size])
        hidden = 4 * _covered(spots, taken) + 3 * _covered(spots, heads) + 0.03 * np.arange(len(spots))
        best = spots[int(np.argmin(hidden))]
        taken = np.vstack([taken, best])
        corners.append(best[:2])
    return np.array(corners, dtype=np.int64).reshape(-1, 2)


def _choices(box: Matrix, size: NDArray[np.int64]) -> Matrix:
    """Return (k, 2) corners where a label can stand beside or on its person, best first."""
    x1, y1, x2, y2 = box
    wide, high = size
    return np.array(
        [
            (x1, y1 - high),
            (x2 - wide, y1 - high),
            (x1, y2 - high),
            (x1, y2),
            (x1, y1 - 2 * high),
            ((x1 + x2 - wide) / 2, y1 + 0.6 * (y2 - y1)),
            (x2, y1),
            (x1 - wide, y1),
        ]
    ).round()


def _covered(spots: Matrix, others: Matrix) -> Matrix:
    """Return (k,): how much of each spot, in shares of its area, lies on other boxes."""
    low = np.maximum(spots[:, None, :2], others[None, :, :2])
    high = np.minimum(spots[:, None, 2:], others[None, :, 2:])
    shared: Matrix = np.prod(np.maximum(high - low, 0), axis=2).sum(axis=1)
    areas: Matrix = np.prod(spots[:, 2:] - spots[:, :2], axis=1)
    return shared / areas
