"""Where a YOLO export's pictures and their labels lie, as Ultralytics looks for them.

Source: ``get_img_files`` and ``img2label_paths`` of ultralytics: a folder with all folders below it, or a text file
that lists pictures; the last folder called ``images`` above a picture becomes ``labels``, without one they lie beside
it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.lab.dataset.faults import DatasetError, OnFault, tell
from service.lab.dataset.records import PICTURE_SUFFIXES


def holds_pictures(folder: Path, *, below: bool) -> bool:
    """Return whether pictures lie in a folder, or in those below it."""
    if not folder.is_dir():
        return False
    return any(map(is_picture, _walk(folder) if below else folder.iterdir()))


def pictures_of(place: Path, bases: Sequence[Path], on_fault: OnFault | None = None) -> Iterator[Path]:
    """Yield the pictures of a folder and of those below it, or those that a text file lists.

    Args:
        place: the folder or the file.
        bases: folders that a line of the file may be relative to, beside the file's own.
        on_fault: takes the faults of lines; without it the first one is raised.
    """
    if place.is_dir():
        yield from sorted(filter(is_picture, _walk(place)))
    else:
        yield from _listed(place, bases, on_fault)


def label_file(picture: Path) -> Path:
    """Return the file of a picture's labels, whether it is there or not."""
    folders = list(picture.parent.parts)
    if "images" in folders:
        folders[len(folders) - 1 - folders[::-1].index("images")] = "labels"
    return Path(*folders, f"{picture.stem}.txt")


def label_files_of(place: Path, pictures: Sequence[Path]) -> Iterator[Path]:
    """Yield the label files that lie where labels of a place's pictures belong.

    Args:
        place: a folder, or a text file that lists pictures.
        pictures: of that place.
    """
    if place.is_dir():
        yield from sorted(path for path in _walk(label_file(place / "any").parent) if path.suffix == ".txt")
        return
    for folder in dict.fromkeys(label_file(picture).parent for picture in pictures):
        yield from sorted(folder.glob("*.txt"))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder and below, through links that lead to no folder above, not in hidden folders."""
    entered: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True, onerror=_raise):
        yield from (Path(here, name) for name in (*folders, *files))
        entered.add(os.path.realpath(here))
        folders[:] = [
            name for name in folders if not name.startswith(".") and os.path.realpath(Path(here, name)) not in entered
        ]


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):  # without labels there is no such folder
        raise error


def is_picture(path: Path) -> bool:
    """Return whether a file's name is that of a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def _listed(file: Path, bases: Sequence[Path], on_fault: OnFault | None) -> Iterator[Path]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        tell(DatasetError(file, f"not UTF-8 text: {error}"), on_fault)
        return
    if not any(line.strip() for line in lines):
        tell(DatasetError(file, "lists no picture", kind="folder"), on_fault)
    for number, line in enumerate(lines, start=1):
        name = line.strip()
        if not name:
            continue
        path = next((path for path in _meant(file, bases, name) if path.is_file()), None)
        if path is None or not is_picture(path):
            said = f"lists {name!r}, which is no picture" if path else f"lists the picture {name!r}, which is not there"
            tell(DatasetError(file, said, number, "picture"), on_fault)
        else:
            yield path


def _meant(file: Path, bases: Sequence[Path], name: str) -> list[Path]:
    """Return what a line may mean, the likeliest first; Ultralytics takes ``./`` from the file's folder."""
    if name.startswith("./"):
        return [Path(os.path.normpath(file.parent / name))]
    return [Path(os.path.normpath(base / name)) for base in (file.parent, *bases, Path.cwd())]
