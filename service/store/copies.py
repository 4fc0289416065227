"""A SQLite store becomes one file while it is in use, and a file becomes a store again.

The file is a tar archive: the database, then the evidence, then `backup.json`, which tells when it was made and holds a
digest of all before it. The evidence is read after the database was copied, and was on disk before its rows were: every
picture that the copy names is in the archive, but for what was forgotten in between.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

from service.store.disk import Disk
from service.store.door import asked_for_copy
from service.store.errors import StoreError, named
from service.store.sqlite import copy_closed

_DATABASE: Final = "ppe.db"
_NOTE: Final = "backup.json"
_PICTURE: Final = re.compile(r"evidence/\d{4}-\d{2}-\d{2}/[0-9A-Za-z_-]{1,64}/[a-z]+\.(jpg|mp4)")
_MOST_NOTE: Final = 10_000
_PIECE: Final = 2**20


class NoBackup(ValueError):  # noqa: N818 - it reads as what it says
    """A file is no backup of a store, or is damaged; one sentence."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: when it was made (Unix ms), alerts, files of evidence, their bytes and the database's."""

    made_ms: int
    alerts: int
    files: int
    evidence_bytes: int
    database_bytes: int


def back_up(folder: Path, file: Path, now_ms: int, *, evidence: bool = True) -> Backup:
    """Write the store in `folder` to `file`, which must not exist, whether a service runs on it or not.

    Raises:
        FileExistsError: `file` exists.
        StoreError: there is no store, it is damaged, or it can't be read or written; nothing is left at `file`.
    """
    part = file.with_name(f"{file.name}.part")
    for path in (file, part):
        if path.exists():
            raise FileExistsError(f"{path} exists; a backup overwrites nothing")
    with named(file.parent), part.open("xb") as out:
        try:
            os.fchmod(out.fileno(), 0o600)
            backup = _write(folder, out, file.parent, now_ms, evidence=evidence)
            out.flush()
            os.fsync(out.fileno())
            part.rename(file)
        except BaseException:
            part.unlink()
            raise
    return backup


def _write(folder: Path, out: BinaryIO, near: Path, now_ms: int, *, evidence: bool) -> Backup:
    with _copied(folder, near) as copy, tarfile.open(fileobj=out, mode="w") as archive:
        alerts, size = _checked(copy), copy.stat().st_size
        digest = _Digest()
        with copy.open("rb") as rows:
            _add(archive, _DATABASE, rows, digest)
        files = total = 0
        disk = Disk(folder / "evidence")
        for day in disk.days() if evidence else []:
            for path in sorted(disk.files(day)):
                if not _PICTURE.fullmatch(f"evidence/{path}"):
                    continue  # half-written
                try:
                    picture = (folder / "evidence" / path).open("rb")
                except FileNotFoundError:  # forgotten meanwhile
                    continue
                with picture:
                    total += _add(archive, f"evidence/{path}", picture, digest)
                files += 1
        backup = Backup(now_ms, alerts, files, total, size)
        note = json.dumps({**asdict(backup), "format": 1, "sha256": digest.text()}).encode()
        _add(archive, _NOTE, io.BytesIO(note), digest, len(note))
    return backup


@contextmanager
def _copied(folder: Path, near: Path) -> Iterator[Path]:
    """Yield a copy of a store's database that lies in the folder `near`, for as long as the context lasts."""
    if not (folder / _DATABASE).is_file():
        raise StoreError("STORE_MISSING", f"there is no store in {folder}")
    with tempfile.TemporaryDirectory(dir=near, prefix=".ppe-backup-") as place:
        copy = Path(place) / _DATABASE
        try:
            copy_closed(folder, copy)
        except StoreError as error:
            if error.code != "STORE_LOCKED":
                raise
            with asked_for_copy(folder) as rows, copy.open("xb") as out:
                shutil.copyfileobj(rows, out, _PIECE)
        yield copy


def restore(file: Path, folder: Path) -> Backup:
    """Make a store in `folder`, which must not exist or be empty, of a backup.

    Raises:
        FileExistsError: there is something in `folder`.
        NoBackup: `file` is none, or is damaged; nothing is left in `folder`.
        StoreError: it can't be read or written; nothing is left.
    """
    part = folder.with_name(f"{folder.name}.part")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty; a backup is restored into a new folder")
    if part.exists():
        raise FileExistsError(f"{part} exists, left by a restoration that was cut off; remove it")
    with named(folder.parent):
        part.mkdir(mode=0o700, parents=True)
        try:
            try:
                backup = _unpack(file, part)
            except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
                raise NoBackup(f"{file} is no sound backup of a store: {error}") from error
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part)
            raise
    return backup


def _unpack(file: Path, folder: Path) -> Backup:
    digest = _Digest()
    with tarfile.open(file, "r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or not (member.name in {_DATABASE, _NOTE} or _PICTURE.fullmatch(member.name)):
                raise NoBackup(f"it holds {member.name[:100]!r}, which belongs to no backup")
            if member.name == _NOTE:
                note = json.loads(content.read(_MOST_NOTE))
                break
            place = folder / member.name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as out:
                digest.begin(member.name)
                _pour(content, out.write, digest)
        else:
            raise NoBackup("its end is missing")
    if note.pop("format") != 1:
        raise NoBackup("it was made by a newer version")
    if note.pop("sha256") != digest.text():
        raise NoBackup("it was changed since it was made")
    if _checked(folder / _DATABASE) != note["alerts"]:
        raise NoBackup("its database does not hold the alerts that it tells of")
    return Backup(**note)


def _checked(database: Path) -> int:
    """Return how many alerts a database holds, once all of it was looked at.

    Raises:
        StoreError: it is damaged.
    """
    with named(database.parent), closing(sqlite3.connect(database)) as rows:
        faults = [str(fault) for (fault,) in rows.execute("PRAGMA integrity_check(1)") if fault != "ok"]
        faults += [f"a row of {found[0]} belongs to none" for found in rows.execute("PRAGMA foreign_key_check")]
        if faults:
            raise StoreError("STORE_CORRUPT", f"the copy of the database is damaged: {faults[0]}")
        return int(rows.execute("SELECT count(*) FROM alerts").fetchone()[0])


class _Digest:
    """SHA-256 of files with their names and sizes, in order."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def begin(self, name: str) -> None:
        self._sum.update(f"\n{name}\n".encode())

    def update(self, piece: bytes) -> None:
        self._sum.update(piece)

    def text(self) -> str:
        return self._sum.hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO, digest: _Digest, size: int | None = None) -> int:
    """Add a file to an archive and to the digest; return its bytes."""
    member = tarfile.TarInfo(name)
    member.size = os.fstat(content.fileno()).st_size if size is None else size
    member.mode = 0o600
    digest.begin(name)
    archive.addfile(member, _Read(content, digest))  # type: ignore[arg-type]  # it reads
    return member.size


class _Read:
    """A file that adds to a digest what is read of it."""

    def __init__(self, content: BinaryIO, digest: _Digest) -> None:
        self._content = content
        self._digest = digest

    def read(self, most: int) -> bytes:
        piece = self._content.read(most)
        self._digest.update(piece)
        return piece


def _pour(content: IO[bytes], write: Callable[[bytes], object], digest: _Digest) -> None:
    while piece := content.read(_PIECE):
        digest.update(piece)
        write(piece)
