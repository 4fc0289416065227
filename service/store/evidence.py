"""Evidence pictures: whole files on disk before their rows are committed, and found only through their rows."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from service.ports import Still
from service.store.schema import evidence

ORPHAN_AFTER: Final = 3600.0
"""Seconds after which a file without a row is no longer waiting for its transaction."""
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_KEEP: Final = insert(evidence)
_numbers: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Kept:
    """A still that is on disk, under a path relative to the evidence folder."""

    still: Still
    path: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: orphan files that it removed, and rows whose files are gone."""

    removed: int
    missing: int


def refuse_strange_id(alert: str) -> None:
    """Raise ValueError when an alert's id could not name a folder."""
    if not _ID.fullmatch(alert):
        raise ValueError(f"{alert!r} is no alert id: expected 1 to 64 of 0-9 A-Z a-z _ -")


def write(folder: Path, still: Still, fired_ms: int) -> Kept:
    """Write a still below `folder`, whole or not at all, and wait until the disk has it.

    Raises:
        OSError: it can't be written; nothing of it is left.
    """
    day = datetime.fromtimestamp(fired_ms / 1000, UTC).strftime("%Y-%m-%d")
    path = Path(day) / still.alert / f"{still.kind}.jpg"
    home = folder / path.parent
    fresh = [parent for parent in (home, home.parent, folder) if not parent.exists()]
    home.mkdir(parents=True, exist_ok=True)
    part = home / f".{still.kind}.{os.getpid()}.{next(_numbers)}.tmp"
    try:
        with part.open("wb") as file:
            file.write(still.jpeg)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    for place in (home, *(parent.parent for parent in fresh)):
        _sync(place)  # a new name lasts once the folder that holds it is on disk
    return Kept(still, path.as_posix())


def keep(connection: Connection, stills: Iterable[Kept]) -> None:
    """Keep where stills are; a newer still of a kind takes the place of the older one."""
    rows = [
        {"alert": kept.still.alert, "kind": kept.still.kind, "path": kept.path, "missing": False} for kept in stills
    ]
    if rows:
        again = _KEEP.on_conflict_do_update(
            index_elements=[evidence.c.alert, evidence.c.kind],
            set_={"path": _KEEP.excluded.path, "missing": _KEEP.excluded.missing},
        )
        connection.execute(again, rows)


def kinds(connection: Connection, alert: str) -> tuple[str, ...]:
    """Return which stills of an alert are there."""
    query = select(evidence.c.kind).where(evidence.c.alert == alert, evidence.c.missing.is_(False))
    return tuple(connection.scalars(query.order_by(evidence.c.kind)))


def path_of(connection: Connection, alert: str, kind: str) -> str | None:
    """Return where a still is, relative to the evidence folder, or None."""
    query = select(evidence.c.path).where(
        evidence.c.alert == alert, evidence.c.kind == kind, evidence.c.missing.is_(False)
    )
    found: str | None = connection.scalar(query)
    return found


def rows(connection: Connection) -> dict[str, bool]:
    """Return every path that a row names, and whether it is marked as missing."""
    found = connection.execute(select(evidence.c.path, evidence.c.missing))
    return {row.path: row.missing for row in found}


def mark(connection: Connection, missing: dict[str, bool]) -> None:
    """Mark paths as missing or as there again."""
    if missing:
        change = update(evidence).where(evidence.c.path == bindparam("at")).values(missing=bindparam("gone"))
        connection.execute(change, [{"at": path, "gone": gone} for path, gone in missing.items()])


def files(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield every file below `folder`: its path relative to it, and when it was last written (Unix seconds)."""
    for path in folder.glob("*/*/*"):
        with suppress(FileNotFoundError):
            status = path.lstat()
            yield path.relative_to(folder).as_posix(), status.st_mtime


def remove(folder: Path, path: str) -> None:
    """Remove a file and the folders that it leaves empty."""
    (folder / path).unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        (folder / path).parent.rmdir()
        (folder / path).parent.parent.rmdir()


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
