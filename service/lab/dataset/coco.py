"""Read COCO json exports: Roboflow's ``<split>/_annotations.coco.json`` or ``annotations/instances_<split>.json``.

A file whose path tells no split (CVAT's ``annotations/instances_default.json``, ``_annotations.coco.json`` at the root)
is taken as train. What is wrong with one entry is told by its id and key, and the others are read.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.lab.dataset.coco_entries import Entry, Id, entries
from service.lab.dataset.coco_places import Places, UnplacedError, split_of
from service.lab.dataset.faults import DatasetError, OnFault, OnNote, tell
from service.lab.dataset.records import LabelledBox, Picture, clipped

_NAME = "_annotations.coco.json"


def coco_files(folder: Path) -> list[Path]:
    """List the COCO annotation files below an export's folder; the one at its root counts where there is no other."""
    found = {*folder.glob(f"*/{_NAME}"), *folder.glob("annotations/instances_*.json")}
    return sorted(found) or [path for path in (folder / _NAME,) if path.is_file()]


def read_coco(
    annotations: Path, on_fault: OnFault | None = None, on_note: OnNote | None = None, folder: Path | None = None
) -> Iterator[Picture]:
    """Yield every picture that one COCO annotation file lists; the split is read off its path.

    Args:
        annotations: the json file.
        on_fault: takes the faults of entries; without it the first one is raised.
        on_note: takes what is left out, or taken as something, without being a fault.
        folder: the export's; without it the one above the file's, or the file's own where it tells no split.

    Raises:
        DatasetError: the file is no COCO json, a picture is missing or a box can't be read.
    """
    document = _document(annotations)
    folder = folder or _folder_of(annotations)
    split = split_of(annotations, folder)
    called = annotations.relative_to(folder).as_posix()
    if split is None and on_note is not None:
        on_note(f"{called} names no split: it is taken as train")
    places = Places(annotations, folder, split)
    names = _names(annotations, document, on_fault)
    rows, crowds = _rows(annotations, document, on_fault)
    if crowds and on_note is not None:
        what = "1 crowd region (iscrowd) is" if crowds == 1 else f"{crowds} crowd regions (iscrowd) are"
        on_note(f"{called}: {what} left out: it is no single person's box")
    there: dict[Path, Path] = {}
    ids: set[Id] = set()
    for image in entries(annotations, document, "images", "image", "picture", on_fault):
        try:
            own = _new_id(image, ids)
            size = image.length("width"), image.length("height")
            path = _picture(image, places, there)
        except DatasetError as fault:
            tell(fault, on_fault)
            continue
        yield Picture(path, split or "train", tuple(_boxes(rows.get(own, []), names, size, on_fault)))
    if on_note is not None:
        _tell_rest(called, sum(len(found) for own, found in rows.items() if own not in ids), on_note)


def _folder_of(annotations: Path) -> Path:
    beside = annotations.parent
    return beside.parent if beside.name == "annotations" or split_of(annotations, beside.parent) else beside


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


def _names(annotations: Path, document: dict[str, Any], on_fault: OnFault | None) -> dict[Id, str]:
    names: dict[Id, str] = {}
    for category in entries(annotations, document, "categories", "category", "names", on_fault):
        try:
            names[category.identity("id")] = str(category.identity("name"))
        except DatasetError as fault:
            tell(fault, on_fault)
    return names


def _rows(annotations: Path, document: dict[str, Any], on_fault: OnFault | None) -> tuple[dict[Id, list[Entry]], int]:
    """Return the annotations of each image, and how many regions are crowds: one box around many people."""
    rows: dict[Id, list[Entry]] = defaultdict(list)
    crowds = 0
    for row in entries(annotations, document, "annotations", "annotation", "fields", on_fault):
        if row.fields.get("iscrowd"):
            crowds += 1
            continue
        try:
            rows[row.identity("image_id")].append(row)
        except DatasetError as fault:
            tell(fault, on_fault)
    return rows, crowds


def _new_id(image: Entry, ids: set[Id]) -> Id:
    own = image.identity("id")
    if own in ids:
        raise image.fault("its id stands twice")
    ids.add(own)
    return own


def _picture(image: Entry, places: Places, there: dict[Path, Path]) -> Path:
    """Return the picture that an image means; label files are called like pictures, so that two may not share a stem.

    Args:
        image: the entry.
        places: where pictures lie.
        there: those of earlier images by folder and stem; this one is added.
    """
    try:
        path = places.find(image.text("file_name"))
    except UnplacedError as error:
        raise image.fault(str(error)) from error
    other = there.setdefault(path.with_suffix(""), path)
    if other is path:
        return path
    if other == path:
        raise image.fault("stands there twice")
    raise image.fault(f"its labels would have the same file, {path.stem}.txt, as those of {other.name!r}")


def _boxes(
    rows: list[Entry], names: dict[Id, str], size: tuple[float, float], on_fault: OnFault | None
) -> Iterator[LabelledBox]:
    for row in rows:
        try:
            box = _box(row, names, size)
        except DatasetError as fault:
            tell(fault, on_fault)
        else:
            if box is not None:
                yield box
            elif on_fault is not None:
                on_fault(row.fault("its box lies outside the picture", "range"))


def _box(row: Entry, names: dict[Id, str], size: tuple[float, float]) -> LabelledBox | None:
    category = row.identity("category_id")
    if category not in names:
        raise row.fault(f"category {category} is not listed", "class")
    x, y, w, h = row.four("bbox")
    width, height = size
    if w <= 0 or h <= 0:
        raise row.fault("a box needs a width and a height above 0", "size")
    filled = _filled(row, w * h)
    return clipped(names[category], x / width, y / height, (x + w) / width, (y + h) / height, filled)


def _filled(row: Entry, hull: float) -> float | None:
    """Return the share of the box that the row's polygons cover; None where the row has none."""
    drawn, area = row.fields.get("segmentation"), row.fields.get("area")
    polygons = isinstance(drawn, list) and any(isinstance(part, list) and len(part) >= 6 for part in drawn)
    return min(1.0, float(area) / hull) if polygons and isinstance(area, int | float) else None


def _tell_rest(called: str, count: int, on_note: OnNote) -> None:
    if count:
        what = "1 annotation belongs" if count == 1 else f"{count} annotations belong"
        on_note(f"{called}: {what} to no picture that it lists")
