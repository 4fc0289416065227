"""Bring the pictures of a split, whatever folders they lie in, into one folder, with their label rows beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import Picture, Split


def flat_names(pictures: Sequence[Picture]) -> list[str]:
    """Return under which file name each picture goes into the one folder of its split: its own where that will do.

    Where pictures of several folders would share a name or a label file, their folders stand before it: ``cam1/x.jpg``
    and ``cam2/x.png`` become ``cam1__x.jpg`` and ``cam2__x.png``. Told are the folders below the one that all pictures
    of the split share; what lies in that one keeps its name. Pictures that share a label file where they lie go on to.
    """
    parents = [
        Path(os.path.abspath(picture.path.parent))  # noqa: PTH100 - resolve() makes one folder of two links to it
        for picture in pictures
    ]
    folders: dict[tuple[Split, str], dict[Path, None]] = {}
    of_split: dict[Split, list[Path]] = {}
    for picture, parent in zip(pictures, parents, strict=True):
        folders.setdefault((picture.split, picture.path.stem), {})[parent] = None
        of_split.setdefault(picture.split, []).append(parent)
    shared = {split: Path(os.path.commonpath(listed)) for split, listed in of_split.items()}
    taken = set(folders)
    stems: dict[tuple[Split, str, Path], str] = {}
    for (split, stem), listed in folders.items():
        for parent in listed:
            told = parent.relative_to(shared[split]).parts if len(listed) > 1 else ()
            stems[split, stem, parent] = _free("__".join((*told, stem)), split, taken) if told else stem
    return [
        stems[picture.split, picture.path.stem, parent] + picture.path.suffix
        for picture, parent in zip(pictures, parents, strict=True)
    ]


def put(out: Path, picture: Picture, name: str, rows: str) -> None:
    """Copy a picture, byte by byte, to ``<split>/images`` under a name, and write its rows to ``<split>/labels``.

    Raises:
        DatasetError: a picture of that name is there, or one that shares its label file and has other rows.
    """
    images, labels = (out / picture.split / kind for kind in ("images", "labels"))
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    target, written = images / name, (labels / name).with_suffix(".txt")
    if target.exists():
        raise DatasetError(picture.path, "stands twice in this export under one name")
    if written.exists() and written.read_text(encoding="utf-8") != rows:
        raise DatasetError(
            picture.path, "shares its label file with another picture, whose boxes are others; give it another name"
        )
    shutil.copyfile(picture.path, target)
    written.write_text(rows, encoding="utf-8")


def _free(stem: str, split: Split, taken: set[tuple[Split, str]]) -> str:
    """Return a stem that no other picture has, and take it."""
    free = next(one for one in chain([stem], (f"{stem}__{n}" for n in count(2))) if (split, one) not in taken)
    taken.add((split, free))
    return free
