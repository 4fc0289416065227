"""Find out which layout an export has, and read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from service.lab.dataset.coco import coco_files, read_coco
from service.lab.dataset.faults import DatasetError, OnFault, OnNote
from service.lab.dataset.records import Picture
from service.lab.dataset.yolo import read_yolo


def folder_of(export: Path) -> Path:
    """Return the folder of an export that is given as a folder or as its config."""
    return export.parent if export.is_file() else export


def config_of(export: Path) -> Path | None:
    """Return the config of a YOLO export: the yaml file given, or the folder's data.yaml; None where there is none."""
    if export.is_file():
        return export if export.suffix.lower() in {".yaml", ".yml"} else None
    return next((path for path in (export / "data.yaml", export / "data.yml") if path.is_file()), None)


def read_export(export: Path, on_fault: OnFault | None = None, on_note: OnNote | None = None) -> Iterator[Picture]:
    """Yield every picture of an export, whichever of the known layouts it has.

    Args:
        export: its folder, or the yaml file that describes it.
        on_fault: takes what is wrong with single rows and pictures; without it the first fault is raised.
        on_note: takes what is read in a way that its reader should know of, a sentence each.

    Raises:
        DatasetError: no known layout, or something in it can't be read.
    """
    config = config_of(export)
    annotations = coco_files(export) if config is None else []
    if config is not None:
        yield from read_yolo(config, on_fault)
    elif annotations:
        for path in annotations:
            yield from read_coco(path, on_fault, on_note, export)
    else:
        raise DatasetError(
            export,
            "no dataset here: expected a data.yaml, */_annotations.coco.json or annotations/instances_*.json; a config "
            "of another name is given as a file",
        )
