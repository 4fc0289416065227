"""A picture's thumbnail and digest, for who asks whether a camera sees and whether anything moves: half a ms."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from service.pictures.still import Polygon, black_out
from service.ports import Image
from service.safety.view import COLUMNS, ROWS, Glance, Mask

_ACROSS: Final = 5
"""Pixels across a cell that are looked at: every few of the picture's, so that size costs nothing and noise is left."""


def glance(image: Image, hidden: Mask | None = None) -> Glance:
    """Return what is kept of a picture.

    Args:
        image: (height, width, 3) uint8, blue green red.
        hidden: the cells that zones ignore, of `hidden_cells`.
    """
    step = max(1, min(image.shape[1] // (_ACROSS * COLUMNS), image.shape[0] // (_ACROSS * ROWS)))
    grey = cv2.cvtColor(np.ascontiguousarray(image[::step, ::step]), cv2.COLOR_BGR2GRAY)
    thumbnail = np.asarray(cv2.resize(grey, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.uint8)
    return Glance(thumbnail, zlib.crc32(np.ascontiguousarray(grey).data), hidden)


def hidden_cells(width: int, height: int, polygons: Sequence[Polygon]) -> Mask | None:
    """Return which cells of a picture's thumbnail are black, wholly or in part, because zones ignore them."""
    if not polygons:
        return None
    seen = glance(black_out(np.full((height, width, 3), 255, np.uint8), polygons))
    hidden: Mask = seen.thumbnail < 255
    return hidden
