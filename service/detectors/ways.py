"""What looking at pictures of one size costs and shows, whole or in tiles."""

from __future__ import annotations

from collections.abc import Iterable

from service.detectors.letterbox import Shape, best_shape
from service.detectors.tiled import tiles_of


def scale_of(width: int, height: int, shapes: tuple[Shape, ...]) -> float:
    """Return how many pixels the model sees for one of a picture of this size (more than 1: it is enlarged)."""
    shape = best_shape(width, height, shapes)
    return min(shape[0] / height, shape[1] / width)


def ways(width: int, height: int, shapes: tuple[Shape, ...], tiles: Iterable[int]) -> dict[int, tuple[int, float]]:
    """Return for each number of tiles across the looks that a frame takes, and the scale at which people are seen.

    Nobody is seen in more pixels than they have, unless the whole picture is enlarged already.
    """
    whole = scale_of(width, height, shapes)
    found: dict[int, tuple[int, float]] = {}
    for across in tiles:
        parts = tiles_of(width, height, across)
        scales = [scale_of(part.x2 - part.x1, part.y2 - part.y1, shapes) for part in parts]
        found[across] = 1 + len(parts), max(whole, min([*scales, max(1.0, whole)])) if parts else whole
    return found
