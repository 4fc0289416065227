"""What the store asks of a database, and which one it is: a SQLite file of its own, or a PostgreSQL server."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection


class Database(Protocol):
    """An open database. Safe to call from many threads at once.

    Attributes:
        shared: other processes may write it too, so that what is on its way must be leased.
    """

    shared: bool

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Connection]:
        """Enter one transaction; it is committed at the end of the block, or rolled back when that raises.

        Nobody else writes meanwhile: what was read in it still holds when it is committed.

        Args:
            durable: True: what is committed outlives a loss of power. False: it outlives the end of the process, and
                costs no wait for the disk; for what may be told again.

        Raises:
            StoreError: it could not be committed; nothing of it is kept.
        """
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Enter a transaction that changes nothing, and so waits for nobody where that can be helped."""
        ...

    def erasing(self) -> AbstractContextManager[Connection]:
        """Enter a transaction of which what it removes is to be read by nobody any more."""
        ...

    def forget_removed(self) -> None:
        """Let what was removed stand nowhere in the database any more, as far as the database can.

        Raises:
            StoreError: it can't be done.
        """
        ...

    def backup(self, path: Path) -> None:
        """Write a copy of the database to `path`, which must not exist.

        Raises:
            FileExistsError: `path` exists.
            StoreError: the copy could not be written, and nothing is left at `path`; or it is the server's to make.
        """
        ...

    def close(self) -> None:
        """Close it and let others in. Idempotent."""
        ...


def open_database(folder: Path, address: URL | None = None) -> Database:
    """Open the database of the store in `folder`: the SQLite file in it, or the PostgreSQL database at an address.

    Raises:
        StoreError: another process has the file open; it is damaged, of a newer version, or of another folder; its
            disk or its server does not work.
    """
    if address is None:
        from service.store.sqlite import Sqlite

        return Sqlite(folder)
    from service.store.postgres import Postgres

    return Postgres(folder, address)
