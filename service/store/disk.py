"""The evidence folder: files are written whole or not at all, listed day by day, and removed."""

from __future__ import annotations

import itertools
import os
import re
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""An alert's id: the name of a folder."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILE: Final = re.compile(r"(annotated|clean|crop)\.jpg|clip\.mp4|\.(annotated|clean|crop|clip)\.\d+\.\d+\.tmp")


@dataclass(frozen=True, slots=True)
class File:
    """A file as the disk has it: its size in bytes, and when it was last written (Unix seconds)."""

    size: int
    written: float


class Disk:
    """Evidence files below `folder`, as <yyyy-mm-dd>/<alert>/<kind>.jpg or .mp4. Safe to call from many threads.

    Paths are relative to `folder`, with slashes. What lies there under other names is left alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._making = threading.Lock()

    def write(self, path: str, jpeg: bytes) -> None:
        """Write a file, whole or not at all, and wait until the disk has it.

        Raises:
            OSError: it can't be written; nothing of it is left.
        """
        self.fill(path, lambda part: part.write_bytes(jpeg))

    def fill(self, path: str, write: Callable[[Path], object]) -> None:
        """Have a file written under a temporary name, wait until the disk has it, and give it its own.

        Args:
            write: writes the file that is there, empty, under the name it is given.

        Raises:
            OSError: it can't be written; nothing of it is left, and no more of what `write` raises.
        """
        place = self._folder / path
        part = place.with_name(f".{place.stem}.{os.getpid()}.{next(self._numbers)}.tmp")
        try:
            with self._making:  # nobody removes the folder as an empty one before the file is in it
                fresh = [home for home in (place.parent, *place.parent.parents[:2]) if not home.exists()]
                place.parent.mkdir(parents=True, exist_ok=True)
                part.open("wb").close()
            write(part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.rename(place)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        for home in (place.parent, *(home.parent for home in fresh)):
            _sync(home)  # a new name lasts once the folder that holds it is on disk

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files and the folders that they leave empty; what is gone already is fine.

        Raises:
            OSError: one can't be removed; those before it are.
        """
        for path in paths:
            place = self._folder / path
            with suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()
            with self._making, suppress(OSError):  # not empty
                place.parent.rmdir()
                place.parent.parent.rmdir()

    def find(self, path: str) -> File | None:
        """Return a file by its path, or None.

        Raises:
            OSError: the disk can't tell.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            found = (self._folder / path).lstat()
            if stat.S_ISREG(found.st_mode):
                return File(found.st_size, found.st_mtime)
        return None

    def days(self) -> list[str]:
        """Return the names of the day folders, sorted.

        Raises:
            OSError: the folder can't be read.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(home.name for home in self._folder.iterdir() if _DAY.fullmatch(home.name))
        return []

    def files(self, day: str) -> dict[str, File]:
        """Return a day's files by their paths, those that a crash left half-written among them.

        Raises:
            OSError: a folder can't be read.
        """
        found: dict[str, File] = {}
        for home in self._alerts(day):
            for place in _inside(home):
                path = place.relative_to(self._folder).as_posix()
                if _FILE.fullmatch(place.name) and (file := self.find(path)):
                    found[path] = file
        return found

    def remove_empty(self, day: str, before: float) -> None:
        """Remove a day's empty folders that nothing was put into since `before` (Unix seconds)."""
        for home in (*self._alerts(day), self._folder / day):
            with self._making, suppress(OSError):  # not empty, or gone
                if home.lstat().st_mtime < before:
                    home.rmdir()

    def free(self) -> int:
        """Return how many bytes are free for us on the disk.

        Raises:
            OSError: the disk can't tell.
        """
        home = self._folder if self._folder.is_dir() else self._folder.parent
        room = os.statvfs(home)
        return room.f_bavail * room.f_frsize

    def _alerts(self, day: str) -> list[Path]:
        return [home for home in _inside(self._folder / day) if ID.fullmatch(home.name)]


def _inside(folder: Path) -> list[Path]:
    """Return what lies in a folder; nothing when it is none, or a link to elsewhere."""
    with suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISDIR(folder.lstat().st_mode):
            return sorted(folder.iterdir())
    return []


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
