"""Read YOLO exports as Roboflow and Ultralytics write them: a ``data.yaml`` beside ``images`` and ``labels`` folders.

Both spell paths in their own way: Roboflow's ``train: ../train/images`` is meant relative to a folder that its zip does
not hold, Ultralytics' paths are relative to ``path:``. ``val`` may be a folder called ``valid``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import yaml

from service.lab.dataset.faults import DatasetError, OnFault, tell
from service.lab.dataset.records import PICTURE_SUFFIXES, SPLITS, LabelledBox, Picture, Split, clipped

_KEYS: dict[Split, tuple[str, ...]] = {"train": ("train",), "valid": ("val", "valid", "validation"), "test": ("test",)}


def read_yolo(config: Path, on_fault: OnFault | None = None) -> Iterator[Picture]:
    """Yield every picture of the export that `config` (its data.yaml) describes.

    Args:
        config: the data.yaml.
        on_fault: takes the faults of rows and folders; without it the first one is raised.

    Raises:
        DatasetError: a path, a class list or a label row can't be read.
    """
    fields = _fields(config)
    names = _names(config, fields, on_fault)
    found = False
    for split, folder in _folders(config, fields, on_fault):
        found = True
        yield from _split(folder, split, names, on_fault)
    if not found:
        raise DatasetError(config, "names no split: expected at least one of train, val, test")


def rows_without_picture(config: Path) -> list[Path]:
    """List the label files beside an export's pictures that belong to none of them.

    Raises:
        DatasetError: the data.yaml can't be read.
    """
    orphans = []
    for _, images in _folders(config, _fields(config), lambda _: None):
        stems = {picture.stem for picture in _pictures(images)}
        orphans += [rows for rows in sorted(_labels(images).glob("*.txt")) if rows.stem not in stems]
    return [rows for rows in orphans if rows.name != "classes.txt"]  # written by labelling tools


def class_names(config: Path) -> list[str]:
    """Return the export's class names by number; a number without a name has its digits.

    Raises:
        DatasetError: the data.yaml can't be read.
    """
    names = _names(config, _fields(config), lambda _: None)
    return [names.get(index, str(index)) for index in range(max(names) + 1)]


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


def _names(config: Path, fields: dict[str, object], on_fault: OnFault | None) -> dict[int, str]:
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
        tell(DatasetError(config, f"nc says {count} classes, names lists {len(listed)}", kind="names"), on_fault)
    return listed


def _folders(config: Path, fields: dict[str, object], on_fault: OnFault | None) -> Iterator[tuple[Split, Path]]:
    for split in SPLITS:
        value = next((fields[key] for key in _KEYS[split] if fields.get(key)), [])
        for entry in value if isinstance(value, list) else [value]:
            try:
                yield split, _resolved(config, fields.get("path"), str(entry))
            except DatasetError as fault:
                tell(fault, on_fault)


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
    raise DatasetError(
        config, f"{entry!r} is no folder with pictures; looked at {', '.join(map(str, tried))}", kind="folder"
    )


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURE_SUFFIXES)


def _labels(images: Path) -> Path:
    return images.parent / "labels" if images.name == "images" else Path(str(images).replace("/images/", "/labels/"))


def _split(images: Path, split: Split, names: dict[int, str], on_fault: OnFault | None) -> Iterator[Picture]:
    labels = _labels(images)
    for picture in _pictures(images):
        rows = labels / f"{picture.stem}.txt"
        if rows.is_file():
            yield Picture(picture, split, tuple(_boxes(rows, names, on_fault)))
        else:
            yield Picture(picture, split, (), has_label_file=False)


def _boxes(rows: Path, names: dict[int, str], on_fault: OnFault | None) -> Iterator[LabelledBox]:
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


def _row(
    rows: Path, number: int, cells: list[str], names: dict[int, str], on_fault: OnFault | None
) -> LabelledBox | None:
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
    if not all(-0.01 <= value <= 1.01 for value in values):
        tell(DatasetError(rows, "coordinates must be relative to the picture, 0 to 1", number, "edge"), on_fault)
    label = names[int(class_id)]
    if len(values) == 4:
        cx, cy, w, h = values
        if w <= 0 or h <= 0:
            raise DatasetError(rows, f"a box needs a width and a height above 0, got {w} x {h}", number, "size")
        return clipped(label, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    x, y = values[0::2], values[1::2]  # a polygon (or a rotated box): its upright hull
    hull = (max(x) - min(x)) * (max(y) - min(y))
    return clipped(label, min(x), min(y), max(x), max(y), _area(x, y) / hull if hull else 0.0)


def _area(x: list[float], y: list[float]) -> float:
    """Return a polygon's area by the shoelace formula."""
    return abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2
