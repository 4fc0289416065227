"""Read YOLO exports as Roboflow and Ultralytics write them: a ``data.yaml`` beside ``images`` and ``labels`` folders.

Both spell paths in their own way: Roboflow's ``train: ../train/images`` is meant relative to a folder that its zip does
not hold, Ultralytics' paths are relative to ``path:``. ``val`` may be a folder called ``valid``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from service.lab.dataset.faults import DatasetError, OnFault, tell
from service.lab.dataset.records import SPLITS, Picture, Split
from service.lab.dataset.yolo_places import holds_pictures, is_picture, label_file, label_files_of, pictures_of
from service.lab.dataset.yolo_rows import boxes_of

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
    bases = _bases(config, fields.get("path"))
    missing: list[DatasetError] = []
    places = list(_places(config, fields, missing.append))
    if not places:
        said = "; ".join(fault.what for fault in missing)
        raise DatasetError(config, said or "names no split: expected at least one of train, val, test")
    for fault in missing:
        tell(fault, on_fault)
    there: set[tuple[Split, Path]] = set()
    for split, place in places:
        for picture in pictures_of(place, bases, on_fault):
            if (split, picture) not in there:  # entries of a split may overlap
                there.add((split, picture))
                yield _picture(picture, split, names, on_fault)


def rows_without_picture(config: Path) -> list[Path]:
    """List the label files beside an export's pictures that belong to none of them.

    Raises:
        DatasetError: the data.yaml can't be read.
    """
    fields = _fields(config)
    bases = _bases(config, fields.get("path"))
    found: dict[Path, None] = {}
    owned: set[Path] = set()
    for _, place in _places(config, fields, lambda _: None):
        pictures = list(pictures_of(place, bases, lambda _: None))
        found.update(dict.fromkeys(label_files_of(place, pictures)))
        owned.update(map(label_file, pictures))
        if place.is_file():  # what lies beside the pictures that it lists has labels too, listed or not
            for folder in {picture.parent for picture in pictures}:
                owned.update(map(label_file, filter(is_picture, folder.iterdir())))
    return [rows for rows in found if rows not in owned and rows.name != "classes.txt"]  # written by labelling tools


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
    if not listed:
        raise DatasetError(config, "names: is empty; expected a list or a map from class number to name")
    count = fields.get("nc")
    if isinstance(count, int) and count != len(listed):
        tell(DatasetError(config, f"nc says {count} classes, names lists {len(listed)}", kind="names"), on_fault)
    return listed


def _places(config: Path, fields: dict[str, object], on_fault: OnFault) -> Iterator[tuple[Split, Path]]:
    for split in SPLITS:
        value = next((fields[key] for key in _KEYS[split] if fields.get(key)), [])
        for entry in value if isinstance(value, list) else [value]:
            try:
                yield split, _resolved(config, fields.get("path"), str(entry))
            except DatasetError as fault:
                on_fault(fault)


def _picture(path: Path, split: Split, names: dict[int, str], on_fault: OnFault | None) -> Picture:
    rows = label_file(path)
    if rows.is_file():
        return Picture(path, split, tuple(boxes_of(rows, names, on_fault)))
    return Picture(path, split, (), has_label_file=False)


def _resolved(config: Path, root: object, entry: str) -> Path:
    """Find the folder, or the file that lists pictures, that `entry` means among what both publishers mean by it."""
    tried = [base / spelled for spelled in _spellings(entry) for base in _bases(config, root)]
    for candidate in tried:
        if candidate.suffix == ".txt" and candidate.is_file():
            return candidate.resolve()
        for folder in (candidate, candidate / "images"):
            if holds_pictures(folder, below=False):
                return folder.resolve()
    for folder in (place for candidate in tried for place in (candidate / "images", candidate)):
        if holds_pictures(folder, below=True):
            return folder.resolve()
    raise DatasetError(
        config, f"{entry!r} is no folder with pictures; looked at {', '.join(map(str, tried))}", kind="folder"
    )


def _spellings(entry: str) -> list[str]:
    spellings = [entry]
    if entry.startswith("../"):
        spellings.append(entry.removeprefix("../"))
    for spelled in tuple(spellings):
        if "valid" in spelled:
            spellings.append(spelled.replace("valid", "val"))
        elif "val" in spelled:
            spellings.append(spelled.replace("val", "valid"))
    return spellings


def _bases(config: Path, root: object) -> list[Path]:
    return [*([config.parent / str(root)] if root else []), config.parent]
