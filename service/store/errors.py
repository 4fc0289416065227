"""What can go wrong in the store, and the one place that gives errors of SQLite and of the file system their names.

StoreUnavailable (ports)
└─ StoreError
    STORE_FULL      no space is left on the disk
    STORE_IO        the disk or the file system failed, or does not let us write
    STORE_CORRUPT   the file is no sound SQLite database
    STORE_VERSION   the database has tables that this program does not know
    STORE_MISSING   the database is gone while other files of it are there
    STORE_LOCKED    another process uses it
    STORE_CLOSED    after close
    STORE_FAILED    anything else that SQLite refused
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.exc import DBAPIError

from service.ports import StoreUnavailable

Code = Literal[
    "STORE_FULL",
    "STORE_IO",
    "STORE_CORRUPT",
    "STORE_VERSION",
    "STORE_MISSING",
    "STORE_LOCKED",
    "STORE_CLOSED",
    "STORE_FAILED",
]

_BY_SQLITE: Final[dict[int, Code]] = {
    sqlite3.SQLITE_FULL: "STORE_FULL",
    sqlite3.SQLITE_IOERR: "STORE_IO",
    sqlite3.SQLITE_CANTOPEN: "STORE_IO",
    sqlite3.SQLITE_READONLY: "STORE_IO",
    sqlite3.SQLITE_CORRUPT: "STORE_CORRUPT",
    sqlite3.SQLITE_NOTADB: "STORE_CORRUPT",
    sqlite3.SQLITE_BUSY: "STORE_LOCKED",
    sqlite3.SQLITE_LOCKED: "STORE_LOCKED",
}
_SAYS: Final[dict[Code, str]] = {
    "STORE_FULL": "no space is left on its disk; free some, and it goes on by itself",
    "STORE_IO": "its disk can't be written or read",
    "STORE_CORRUPT": "its database is damaged; put a backup of it in its place",
    "STORE_LOCKED": "another process uses its database",
    "STORE_FAILED": "its database refused the change",
}
_LEAST_FREE: Final = 64 * 1024
"""Bytes; SQLite calls some full disks an I/O error."""


class StoreError(StoreUnavailable):
    """The store can't do what was asked: one sentence, and a code of a closed list. Nothing of the call is kept."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code: Code = code


@contextmanager
def named(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise about the store in `folder` into a StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise _of_sqlite(folder, error.orig) from error
    except sqlite3.Error as error:
        raise _of_sqlite(folder, error) from error
    except OSError as error:
        code: Code = "STORE_FULL" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "STORE_IO"
        raise _error(folder, code, error) from error


def _of_sqlite(folder: Path, error: BaseException | None) -> StoreError:
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    code = _BY_SQLITE.get(number, "STORE_FAILED")
    if code == "STORE_IO" and _nothing_free(folder):
        code = "STORE_FULL"
    return _error(folder, code, error)


def _nothing_free(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < _LEAST_FREE


def _error(folder: Path, code: Code, error: BaseException | None) -> StoreError:
    return StoreError(code, f"the store in {folder}: {_SAYS[code]} ({error})")
