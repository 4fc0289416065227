"""Read COCO json exports: Roboflow's ``<split>/_annotations.coco.json`` or ``annotations/instances_<split>.json``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.lab.dataset.faults import DatasetError, OnFault, tell
from service.lab.dataset.records import LabelledBox, Picture, Split, clipped

_SPLIT_NAMES: tuple[tuple[str, Split], ...] = (("train", "train"), ("val", "valid"), ("test", "test"))


def coco_files(folder: Path) -> list[Path]:
    """List the COCO annotation files below an export's folder."""
    return sorted({*folder.glob("*/_annotations.coco.json"), *folder.glob("annotations/instances_*.json")})


def read_coco(annotations: Path, on_fault: OnFault | None = None) -> Iterator[Picture]:
    """Yield every picture that one COCO annotation file lists; the split is read off its path.

    Args:
        annotations: the json file.
        on_fault: takes the faults of rows and pictures; without it the first one is raised.

    Raises:
        DatasetError: the file is no COCO json, a picture is missing or a box can't be read.
    """
    document = _document(annotations)
    split = _split_of(annotations)
    try:
        names = {entry["id"]: str(entry["name"]) for entry in document["categories"]}
        rows: dict[Any, list[Any]] = defaultdict(list)
        for row in document["annotations"]:
            rows[row["image_id"]].append(row)
        for image in document["images"]:
            try:
                picture = _picture(annotations, str(image["file_name"]))
            except DatasetError as fault:
                tell(fault, on_fault)
                continue
            size = float(image["width"]), float(image["height"])
            yield Picture(picture, split, tuple(_boxes(annotations, rows[image["id"]], names, size, on_fault)))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(annotations, f"not COCO json as expected: {type(error).__name__} {error}") from error


def _document(annotations: Path) -> dict[str, Any]:
    try:
        document = json.loads(annotations.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(annotations, f"can't read it ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DatasetError(annotations, f"not UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        raise DatasetError(annotations, f"not valid JSON: {error.msg}", error.lineno) from error
    if not isinstance(document, dict):
        raise DatasetError(annotations, "expected an object with images, annotations and categories")
    return document


def _split_of(annotations: Path) -> Split:
    text = f"{annotations.parent.name}/{annotations.name}".lower()
    for part, split in _SPLIT_NAMES:
        if part in text:
            return split
    raise DatasetError(annotations, "its path names no split (train, val or test)")


def _picture(annotations: Path, name: str) -> Path:
    root = annotations.parent
    for folder in (root, root / "images", root.parent / "images", root.parent):
        candidate = folder / name
        if candidate.is_file():
            return candidate
    for candidate in sorted(root.parent.glob(f"**/{Path(name).name}")):
        return candidate
    raise DatasetError(annotations, f"lists the picture {name!r}, which is not there", kind="picture")


def _boxes(
    annotations: Path,
    rows: list[dict[str, Any]],
    names: dict[Any, str],
    size: tuple[float, float],
    on_fault: OnFault | None,
) -> Iterator[LabelledBox]:
    for row in rows:
        try:
            box = _box(annotations, row, names, size)
        except DatasetError as fault:
            tell(fault, on_fault)
        else:
            if box is not None:
                yield box
            elif on_fault is not None:
                said = f"annotation {row.get('id')}: its box lies outside the picture"
                on_fault(DatasetError(annotations, said, kind="range"))


def _box(
    annotations: Path, row: dict[str, Any], names: dict[Any, str], size: tuple[float, float]
) -> LabelledBox | None:
    said = f"annotation {row.get('id')}: "
    if row["category_id"] not in names:
        raise DatasetError(annotations, said + f"category {row['category_id']} is not listed", kind="class")
    try:
        x, y, w, h = (float(value) for value in row["bbox"])
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(annotations, said + "bbox: expected four numbers", kind="fields") from error
    width, height = size
    if w <= 0 or h <= 0:
        raise DatasetError(annotations, said + "a box needs a width and a height above 0", kind="size")
    return clipped(
        names[row["category_id"]], x / width, y / height, (x + w) / width, (y + h) / height, _filled(row, w * h)
    )


def _filled(row: dict[str, Any], hull: float) -> float | None:
    """Return the share of the box that the row's polygons cover; None where the row has none."""
    drawn, area = row.get("segmentation"), row.get("area")
    polygons = isinstance(drawn, list) and any(isinstance(part, list) and len(part) >= 6 for part in drawn)
    return min(1.0, float(area) / hull) if polygons and isinstance(area, int | float) else None
