"""One SQLite file, one process, one connection, one lock.

SQLite up to 3.51.2 can lose commits when two connections reset the write-ahead log at once (sqlite.org/wal.html), and
distributions still ship such versions. So there is one connection, readers share it, and it locks the file for itself.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from service.store.door import Door
from service.store.errors import StoreError, named
from service.store.migrate import upgrade

_WAL_LIMIT: Final = 16 * 2**20
"""Bytes to which the write-ahead log is cut back after a checkpoint."""
_STEP_PAGES: Final = 2_000
"""Pages that one step of a backup copies, in which everybody else waits: 8 MB."""
_PAUSE: Final = 0.001
"""Seconds between two steps of a backup."""

log = structlog.get_logger(__name__)


class Sqlite:
    """`database.Database` on `folder`/ppe.db, for this process alone."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "ppe.db"
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        with named(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _take(folder / "ppe.lock")
            try:
                self._refuse_a_missing_one()
                self._connection = _wrap(_connect(self._path))
                self._identity = self._stat()
                with self.transaction() as connection:
                    upgrade(connection)
            except BaseException:
                self._close()
                raise
        self._door = Door(folder, self.backup)
        _warn_of_old_sqlite(sqlite3.sqlite_version_info)

    def _refuse_a_missing_one(self) -> None:
        if self._path.exists() and self._path.stat().st_size:
            return
        ahead = self._path.with_name("ppe.db-wal")
        leftovers = (ahead.exists() and ahead.stat().st_size) or any((self._folder / "evidence").glob("*/*/*"))
        if leftovers:
            raise StoreError(
                "STORE_MISSING",
                f"{self._path} is missing or empty, but files that belong to it are there; put it back, or move "
                f"{self._folder} away to start anew",
            )

    def _stat(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_dev, found.st_ino

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """Enter one transaction, alone."""
        with self._turn:
            connection = self._opened()
            self._refuse_a_deleted_one()
            with named(self._folder):
                _raw(connection).execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                with connection.begin():
                    yield connection

    def _opened(self) -> Connection:
        if self._connection is None:
            raise StoreError("STORE_CLOSED", f"the store in {self._folder} was closed")
        return self._connection

    def reading(self) -> AbstractContextManager[Connection]:
        """Enter a transaction: there is one connection, for reading too."""
        return self.transaction()

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """Enter a transaction that writes zeros over what it removes."""
        with self.transaction() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("PRAGMA secure_delete=OFF")

    def _refuse_a_deleted_one(self) -> None:
        with suppress(OSError):
            if self._stat() == self._identity:
                return
        raise StoreError(
            "STORE_MISSING",
            f"{self._path} was deleted or replaced while it was open; what is written now would be lost",
        )

    def backup(self, path: Path) -> None:
        """Write a copy of the database, as it is at the end, to `path`. Others write between its steps."""
        if path.exists():
            raise FileExistsError(f"{path} exists; a backup overwrites nothing")
        part = path.with_name(f"{path.name}.part")
        with self._turn, named(path.parent):
            raw = _raw(self._opened())
            try:
                copy = sqlite3.connect(part, isolation_level=None)
                try:
                    raw.backup(copy, pages=_STEP_PAGES, progress=self._let_others)
                    copy.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it
                finally:
                    copy.close()
                part.rename(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def _let_others(self, *_: int) -> None:
        """Let who waits for the connection have it, within a backup: what it writes is copied with the rest."""
        self._turn.release()
        time.sleep(_PAUSE)  # a lock that is let go and taken at once goes to nobody else
        self._turn.acquire()
        self._opened()

    def forget_removed(self) -> None:
        """Bring the write-ahead log into the database and cut it: what was removed stands there no more."""
        with self._turn, named(self._folder):
            _raw(self._opened()).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the connection and let other processes in."""
        with self._turn:
            if self._connection is not None:
                self._door.close()
                self._close()

    def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()
            connection.engine.dispose()
        os.close(self._lock_file)


def copy_closed(folder: Path, path: Path) -> None:
    """Write a copy of the database of the store in `folder`, which no process has open, to `path`; it stays as it is.

    Raises:
        StoreError: STORE_LOCKED when a process has it open; or it can't be read or written.
    """
    with named(folder):
        lock_file = _take(folder / "ppe.lock")
        try:
            source = f"{(folder.resolve() / 'ppe.db').as_uri()}?mode=rw"
            with closing(sqlite3.connect(source, uri=True)) as rows, closing(sqlite3.connect(path)) as copy:
                rows.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            os.close(lock_file)


def _take(path: Path) -> int:
    """Lock a file for this process; the lock ends with the process, however that ends."""
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(number, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(number)
        raise StoreError(
            "STORE_LOCKED",
            f"the store in {path.parent} is already open in another process (pid {owner}); one process at a time may "
            "use it: stop that one, or choose another folder",
        ) from None
    os.ftruncate(number, 0)
    os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
    return number


def _connect(path: Path) -> sqlite3.Connection:
    raw = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (
            "locking_mode=EXCLUSIVE",
            "busy_timeout=5000",
            "journal_mode=WAL",
            f"journal_size_limit={_WAL_LIMIT}",
            "foreign_keys=ON",
        ):
            raw.execute(f"PRAGMA {pragma}").fetchall()
        found = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreError("STORE_CORRUPT", f"{path} is damaged ({found}); put a backup of it in its place")
    except BaseException:
        raw.close()
        raise
    return raw


def _wrap(raw: sqlite3.Connection) -> Connection:
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # sqlite3's own transactions begin late and leave table changes out
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine.connect()


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - for the type checker
    return raw


@cache
def _warn_of_old_sqlite(version: tuple[int, int, int]) -> None:
    if loses_commits(version):
        log.warning(
            "sqlite_wal_reset",
            version=".".join(map(str, version)),
            meaning="this SQLite can lose commits when two programs write one file; let none but the service open it",
            fixed_in="3.51.3, 3.50.7, 3.44.6",
        )


def loses_commits(version: tuple[int, int, int]) -> bool:
    """Tell whether SQLite has the write-ahead log's reset race: 3.7.0 to 3.51.2, two patched lines excepted."""
    patched = (3, 44, 6) <= version < (3, 45, 0) or (3, 50, 7) <= version < (3, 51, 0)
    return (3, 7, 0) <= version < (3, 51, 3) and not patched
