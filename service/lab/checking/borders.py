"""Measure whether boxes sit on something: do edges run along their borders, does the inside differ from the outside?

Alone such a number says little: pictures are busy or empty, things stand in the middle. So it is compared, on the same
picture, with the boxes of other pictures of the set. If labels belong to other pictures than they stand beside, both
are alike by construction, and the share of comparisons that a picture's own boxes win is one half whatever the set is
(a permutation test: Fisher, "The Design of Experiments", 1935).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.lab.checking.pixels import resized
from service.ports import Image

Boxes = NDArray[np.float64]
_SIDE: Final = 320
_LEAST: Final = 6
"""Pixels of a side at that scale below which a box has no border to speak of."""


class Borders:
    """One picture, ready to be asked about boxes on it."""

    def __init__(self, image: Image) -> None:
        lab = cv2.cvtColor(resized(image, _SIDE), cv2.COLOR_BGR2LAB).astype(np.float32)
        self._height, self._width = lab.shape[:2]
        dx = np.linalg.norm(np.diff(lab, axis=1, append=lab[:, -1:]), axis=2)
        dy = np.linalg.norm(np.diff(lab, axis=0, append=lab[-1:]), axis=2)
        self._dx = np.pad(np.cumsum(dx, axis=0), ((1, 0), (0, 0)))  # sums along columns: an edge is a difference
        self._dy = np.pad(np.cumsum(dy, axis=1), ((0, 0), (1, 0)))
        self._typical = float(np.mean(dx) + np.mean(dy)) / 2 + 1e-6
        self._sums = cv2.integral(lab, sdepth=cv2.CV_64F)

    def score(self, boxes: Boxes) -> NDArray[np.float64]:
        """Return (n,) how well each of (n, 4) relative corner boxes sits; NaN for boxes that are too small."""
        return np.array([self._score(*box) for box in boxes * (self._width, self._height, self._width, self._height)])

    def _score(self, x1: float, y1: float, x2: float, y2: float) -> float:
        if x2 - x1 < _LEAST or y2 - y1 < _LEAST:
            return float("nan")
        left, top, right, bottom = (round(value) for value in (x1, y1, x2, y2))
        reach_x, reach_y = max(1, round(0.06 * (x2 - x1))), max(1, round(0.06 * (y2 - y1)))
        sides = [self._strongest(self._dx.T, x, reach_x, top, bottom) for x in (left, right) if 2 < x < self._width - 2]
        sides += [self._strongest(self._dy, y, reach_y, left, right) for y in (top, bottom) if 2 < y < self._height - 2]
        edges = float(np.mean(sides)) / self._typical if sides else 0.0
        return edges + self._contrast(left, top, right, bottom) / 40

    @staticmethod
    def _strongest(sums: NDArray[np.float32], line: int, reach: int, begin: int, end: int) -> float:
        near = sums[max(0, line - 1 - reach) : line + reach]
        return float(np.max(near[:, end] - near[:, begin])) / (end - begin) if len(near) else 0.0

    def _contrast(self, x1: int, y1: int, x2: int, y2: int) -> float:
        """Return the distance in Lab between a box's mean colour and that of what surrounds it."""
        dx, dy = round(0.25 * (x2 - x1)), round(0.25 * (y2 - y1))
        outer = max(0, x1 - dx), max(0, y1 - dy), min(self._width, x2 + dx), min(self._height, y2 + dy)
        inside, area = self._sum(x1, y1, x2, y2), (x2 - x1) * (y2 - y1)
        around = (outer[2] - outer[0]) * (outer[3] - outer[1]) - area
        if around <= 0:
            return 0.0
        return float(np.linalg.norm(inside / area - (self._sum(*outer) - inside) / around))

    def _sum(self, x1: int, y1: int, x2: int, y2: int) -> NDArray[np.float64]:
        total: NDArray[np.float64] = self._sums[y2, x2] - self._sums[y1, x2] - self._sums[y2, x1] + self._sums[y1, x1]
        return total
