"""Read COCO json exports: Roboflow's ``<split>/_annotations.coco.json`` or ``annotations/instances_<split>.json``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import LabelledBox, Picture, Split, clipped

_SPLIT_NAMES: tuple[tuple[str, Split], ...] = (("train", "train"), ("val", "valid"), ("test", "test"))


def coco_files(folder: Path) -> list[Path]:
    """List the COCO annotation files below an export's folder."""
    return sorted({*folder.glob("*/_annotations.coco.json"), *folder.glob("annotations/instances_*.json")})


def read_coco(annotations: Path) -> Iterator[Picture]:
    """Yield every picture that one COCO annotation file lists; the split is read off its path.

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
            picture = _picture(annotations, str(image["file_name"]))
            size = float(image["width"]), float(image["height"])
            boxes = (_box(annotations, row, names, size) for row in rows[image["id"]])
            yield Picture(picture, split, tuple(box for box in boxes if box is not None))
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
    raise DatasetError(annotations, f"lists the picture {name!r}, which is not there")


def _box(
    annotations: Path, row: dict[str, Any], names: dict[Any, str], size: tuple[float, float]
) -> LabelledBox | None:
    if row["category_id"] not in names:
        raise DatasetError(annotations, f"annotation {row.get('id')}: category {row['category_id']} is not listed")
    x, y, w, h = (float(value) for value in row["bbox"])
    width, height = size
    if w <= 0 or h <= 0:
        raise DatasetError(annotations, f"annotation {row.get('id')}: a box needs a width and a height above 0")
    return clipped(names[row["category_id"]], x / width, y / height, (x + w) / width, (y + h) / height)
