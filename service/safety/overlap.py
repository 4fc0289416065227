"""Intersection over union of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def iou(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return the (n, m) intersection over union of (n, 4) and (m, 4) corner boxes."""
    a, b = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (one, other))
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    overlap: NDArray[np.float64] = shared / np.maximum(areas[0][:, None] + areas[1][None, :] - shared, 1e-12)
    return overlap
