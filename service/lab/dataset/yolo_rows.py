"""Read the rows of YOLO label files: boxes, polygons and rotated boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from service.lab.dataset.faults import DatasetError, OnFault, tell
from service.lab.dataset.records import LabelledBox, clipped

BEYOND: Final = 0.01
"""How far beyond the picture, in its sides, a box may reach by rounding."""


def boxes_of(rows: Path, names: Mapping[int, str], on_fault: OnFault | None) -> Iterator[LabelledBox]:
    """Yield the boxes of one label file.

    Args:
        rows: the file.
        names: class names by number; at least one.
        on_fault: takes the faults of rows; without it the first one is raised.
    """
    try:
        lines = rows.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        tell(DatasetError(rows, f"not UTF-8 text: {error}", kind="text"), on_fault)
        return
    for number, line in enumerate(lines, start=1):
        try:
            box = _row(rows, number, line.split(), names, on_fault) if line.strip() else None
        except DatasetError as fault:
            tell(fault, on_fault)
        else:
            if box is not None:
                yield box


def _row(rows: Path, number: int, cells: list[str], names: Mapping[int, str], on_fault: OnFault | None) -> LabelledBox:
    try:
        class_id, *values = (float(cell) for cell in cells)
    except ValueError as error:
        said = f"expected numbers, got {' '.join(cells)[:80]!r}"
        raise DatasetError(rows, said, number, "number") from error
    if not class_id.is_integer() or int(class_id) not in names:
        raise DatasetError(rows, f"class {cells[0]} is not in names (0 to {max(names)})", number, "class")
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        said = f"expected 'class cx cy w h' or a polygon 'class x1 y1 x2 y2 x3 y3 ...', got {len(cells)} numbers"
        raise DatasetError(rows, said, number, "fields")
    if not all(math.isfinite(value) and -1 <= value <= 2 for value in values):
        raise DatasetError(rows, "coordinates must be relative to the picture, 0 to 1", number, "range")
    x1, y1, x2, y2, filled = _upright(values)
    if x2 <= x1 or y2 <= y1:
        raise DatasetError(
            rows, f"a box needs a width and a height above 0, got {x2 - x1:g} x {y2 - y1:g}", number, "size"
        )
    box = clipped(names[int(class_id)], x1, y1, x2, y2, filled)
    if box is None:
        said = "its box lies outside the picture; coordinates must be relative to the picture, 0 to 1"
        raise DatasetError(rows, said, number, "range")
    if not all(-BEYOND <= value <= 1 + BEYOND for value in (*values, x1, y1, x2, y2)):
        said = "reaches beyond the picture; coordinates must be relative to the picture, 0 to 1"
        tell(DatasetError(rows, said, number, "edge"), on_fault)
    return box


def _upright(values: list[float]) -> tuple[float, float, float, float, float | None]:
    """Return the corners of a box, or of a polygon's upright hull and the share of it that the polygon covers."""
    if len(values) == 4:
        cx, cy, w, h = values
        return cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, None
    x, y = values[0::2], values[1::2]
    hull = (max(x) - min(x)) * (max(y) - min(y))
    return min(x), min(y), max(x), max(y), _area(x, y) / hull if hull else 0.0


def _area(x: list[float], y: list[float]) -> float:
    """Return a polygon's area by the shoelace formula."""
    return abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2
