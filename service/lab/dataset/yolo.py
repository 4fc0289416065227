"""Read YOLO exports as Roboflow and Ultralytics write them: a ``data.yaml`` beside ``images`` and ``labels`` folders.

Both spell paths in their own way: Roboflow's ``train: ../train/images`` is meant relative to a folder that its zip does
not hold, Ultralytics' paths are relative to ``path:``. ``val`` may be a folder called ``valid``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import yaml

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import PICTURE_SUFFIXES, SPLITS, LabelledBox, Picture, Split, clipped

_KEYS: dict[Split, tuple[str, ...]] = {"train": ("train",), "valid": ("val", "valid", "validation"), "test": ("test",)}


def read_yolo(config: Path) -> Iterator[Picture]:
    """Yield every picture of the export that `config` (its data.yaml) describes.

    Raises:
        DatasetError: a path, a class list or a label row can't be read.
    """
    fields = _fields(config)
    names = _names(config, fields)
    found = False
    for split in SPLITS:
        for folder in _folders(config, fields, split):
            found = True
            yield from _split(folder, split, names)
    if not found:
        raise DatasetError(config, "names no split: expected at least one of train, val, test")


def _fields(config: Path) -> dict[str, object]:
    try:
        fields = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(config, f"can't read it ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DatasetError(config, f"not UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DatasetError(config, f"not valid YAML: {error}", mark.line + 1 if mark else None) from error
    if not isinstance(fields, dict):
        raise DatasetError(config, "expected a mapping with names and train/val/test")
    return fields


def _names(config: Path, fields: dict[str, object]) -> dict[int, str]:
    names = fields.get("names")
    if isinstance(names, list):
        listed = {index: str(name) for index, name in enumerate(names)}
    elif isinstance(names, dict):
        try:
            listed = {int(index): str(name) for index, name in names.items()}
        except (TypeError, ValueError) as error:
            raise DatasetError(config, f"names: keys must be class numbers ({error})") from error
    else:
        raise DatasetError(config, "names: expected a list or a map from class number to name")
    count = fields.get("nc")
    if isinstance(count, int) and count != len(listed):
        raise DatasetError(config, f"nc says {count} classes, names lists {len(listed)}")
    return listed


def _folders(config: Path, fields: dict[str, object], split: Split) -> Iterator[Path]:
    value = next((fields[key] for key in _KEYS[split] if fields.get(key)), None)
    if value is None:
        return
    for entry in value if isinstance(value, list) else [value]:
        yield _resolved(config, fields.get("path"), str(entry))


def _resolved(config: Path, root: object, entry: str) -> Path:
    """Find the folder that `entry` means among the places the two publishers mean by it."""
    bases = [config.parent / str(root)] if root else []
    bases += [config.parent]
    spellings = [entry]
    if entry.startswith("../"):
        spellings.append(entry.removeprefix("../"))
    for spelled in tuple(spellings):
        if "valid" in spelled:
            spellings.append(spelled.replace("valid", "val"))
        elif "val" in spelled:
            spellings.append(spelled.replace("val", "valid"))
    tried = [base / spelled for spelled in spellings for base in bases]
    for candidate in tried:
        for folder in (candidate, candidate / "images"):
            if folder.is_dir() and any(_pictures(folder)):
                return folder.resolve()
    raise DatasetError(config, f"{entry!r} is no folder with pictures; looked at {', '.join(map(str, tried))}")


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURE_SUFFIXES)


def _split(images: Path, split: Split, names: dict[int, str]) -> Iterator[Picture]:
    labels = images.parent / "labels" if images.name == "images" else Path(str(images).replace("/images/", "/labels/"))
    for picture in _pictures(images):
        rows = labels / f"{picture.stem}.txt"
        if rows.is_file():
            yield Picture(picture, split, tuple(_boxes(rows, names)))
        else:
            yield Picture(picture, split, (), has_label_file=False)


def _boxes(rows: Path, names: dict[int, str]) -> Iterator[LabelledBox]:
    try:
        lines = rows.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(rows, f"not UTF-8 text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            box = _row(rows, number, line.split(), names)
            if box is not None:
                yield box


def _row(rows: Path, number: int, cells: list[str], names: dict[int, str]) -> LabelledBox | None:
    try:
        class_id, *values = (float(cell) for cell in cells)
    except ValueError as error:
        raise DatasetError(rows, f"expected numbers, got {' '.join(cells)[:80]!r}", number) from error
    if not class_id.is_integer() or int(class_id) not in names:
        raise DatasetError(rows, f"class {cells[0]} is not in names (0 to {max(names)})", number)
    if not all(math.isfinite(value) and -0.01 <= value <= 1.01 for value in values):
        raise DatasetError(rows, "coordinates must be relative to the picture, 0 to 1", number)
    label = names[int(class_id)]
    if len(values) == 4:
        cx, cy, w, h = values
        if w <= 0 or h <= 0:
            raise DatasetError(rows, f"a box needs a width and a height above 0, got {w} x {h}", number)
        return clipped(label, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    if len(values) >= 6 and len(values) % 2 == 0:  # a polygon (or a rotated box): its upright hull
        return clipped(label, min(values[0::2]), min(values[1::2]), max(values[0::2]), max(values[1::2]))
    raise DatasetError(
        rows, f"expected 'class cx cy w h' or a polygon 'class x1 y1 x2 y2 x3 y3 ...', got {len(cells)} numbers", number
    )
