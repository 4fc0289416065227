"""What can go wrong in the store, and the one place that gives errors of databases and of the file system their names.

StoreUnavailable (ports)
└─ StoreError
    STORE_FULL      no space is left on the disk
    STORE_IO        the disk or the file system failed, or does not let us write
    STORE_CORRUPT   the file is no sound SQLite database, or the server says so of its own
    STORE_VERSION   the database has tables that this program does not know
    STORE_MISSING   the database is gone while other files of it are there, or the folder is another one's
    STORE_LOCKED    another process uses it
    STORE_AWAY      the server can't be reached, or lets nobody in
    STORE_CLOSED    after close
    STORE_FAILED    anything else that the database refused
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError

from service.ports import StoreUnavailable

Code = Literal[
    "STORE_FULL",
    "STORE_IO",
    "STORE_CORRUPT",
    "STORE_VERSION",
    "STORE_MISSING",
    "STORE_LOCKED",
    "STORE_AWAY",
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
_BY_SERVER: Final[dict[str, Code]] = {
    "53100": "STORE_FULL",
    "53": "STORE_AWAY",  # too many connections, no memory
    "08": "STORE_AWAY",
    "28": "STORE_AWAY",  # no such user, wrong password
    "3D": "STORE_AWAY",  # no such database
    "57P": "STORE_AWAY",  # starting, stopping
    "25P03": "STORE_AWAY",  # we did nothing for too long
    "55P03": "STORE_LOCKED",
    "40": "STORE_LOCKED",
    "25006": "STORE_IO",  # a standby
    "58": "STORE_IO",
    "XX001": "STORE_CORRUPT",
    "XX002": "STORE_CORRUPT",
}
"""By the beginning of PostgreSQL's SQLSTATE, the longer ones first."""
_SAYS: Final[dict[Code, str]] = {
    "STORE_FULL": "no space is left on its disk; free some, and it goes on by itself",
    "STORE_IO": "its disk can't be written or read",
    "STORE_CORRUPT": "its database is damaged; put a backup of it in its place",
    "STORE_LOCKED": "another process uses its database",
    "STORE_AWAY": "its database server can't be reached; once it can, it goes on by itself",
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


@contextmanager
def named_by_server(where: str) -> Iterator[None]:
    """Turn what a PostgreSQL server and its driver raise into a StoreError, without the rows that they name."""
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        known = (code for head, code in _BY_SERVER.items() if (state or "08").startswith(head))
        code: Code = next(known, "STORE_FAILED")
        raise StoreError(code, f"the store in {where}: {_SAYS[code]} ({_first_line(error.orig)})") from error
    except exc.TimeoutError as error:
        raise StoreError("STORE_LOCKED", f"the store in {where}: all connections to it are in use") from error
    except ModuleNotFoundError as error:
        raise StoreError("STORE_FAILED", "PostgreSQL needs its driver: pip install 'ppe-monitor[postgres]'") from error


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]


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
