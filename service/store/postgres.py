"""A PostgreSQL database, which several processes may share: one of them writes at a time, any number read.

Every transaction that writes holds one advisory lock. So what the code reads before it writes still holds when it
commits, as it does with SQLite's one connection, and no two processes ever wait for each other's rows. The lock ends
with its transaction, and a transaction with its process or its connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, create_engine, insert, select, text

from service.store.errors import StoreError, named, named_by_server
from service.store.migrate import upgrade
from service.store.schema import folders

_WAIT_MS: Final = 30_000
"""Milliseconds that a transaction waits for the lock, and that one which does nothing may hold it."""
_ALONE: Final = text("SELECT pg_advisory_xact_lock(7368805)")
_ALONE_AND_SOON: Final = text("SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(7368805)")
_PERSONAL: Final = "alerts, marks, evidence, messages, recordings"


class Postgres:
    """`database.Database` on a server; the evidence lies in `folder`, which all processes that share it must share."""

    shared = True

    def __init__(self, folder: Path, address: URL) -> None:
        self._folder = folder
        self._where = (
            f"{folder} (PostgreSQL: {address.database} at {address.host or address.query.get('host', 'local')})"
        )
        self._closed = False
        self._refuse_a_file()
        with named_by_server(self._where):
            self._engine = create_engine(
                address,
                pool_pre_ping=True,  # a server that was started again costs nobody a call
                hide_parameters=True,
                connect_args={
                    "connect_timeout": 5,
                    "application_name": "ppe",
                    "keepalives_idle": 15,
                    "keepalives_interval": 5,
                    "keepalives_count": 3,
                    "tcp_user_timeout": _WAIT_MS,
                    "options": f"-c lock_timeout={_WAIT_MS} -c idle_in_transaction_session_timeout={_WAIT_MS}",
                },
            )
        reads = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._snapshots = self._engine.execution_options(**reads)
        try:
            with self.transaction() as connection:
                upgrade(connection)
                self._know_the_folder(connection)
        except BaseException:
            self.close()
            raise

    def _refuse_a_file(self) -> None:
        if (self._folder / "ppe.db").exists():
            raise StoreError(
                "STORE_MISSING",
                f"{self._folder} holds the pictures of the SQLite database in it, which would be taken for strays; "
                "choose another folder for the PostgreSQL database's",
            )

    def _know_the_folder(self, connection: Connection) -> None:
        """Refuse a folder that holds the pictures of another database: they would be swept away, and ours missed."""
        mark = self._folder / "ppe.folder"
        with named(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = mark.read_text(encoding="ascii").strip() if mark.exists() else None
            known = connection.scalar(select(folders.c.id))
            if known is None and found is None and not any((self._folder / "evidence").glob("*/*/*")):
                known = found = uuid.uuid4().hex
                connection.execute(insert(folders), {"id": known})
                mark.write_text(f"{known}\n", encoding="ascii")
        if known != found:
            mend = "choose another folder, or an empty one"
            if known is not None:
                mend = f"mount or restore the right one; if it is lost, or was moved here, write {known} into {mark}"
            raise StoreError("STORE_MISSING", f"the store in {self._where}: the folder is not this database's; {mend}")

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """Enter one transaction, the only one of all processes that writes."""
        self._refuse_when_closed()
        with named_by_server(self._where), self._engine.begin() as connection:
            connection.execute(_ALONE if durable else _ALONE_AND_SOON)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Enter a transaction that sees one moment and waits for nobody."""
        self._refuse_when_closed()
        with named_by_server(self._where), self._snapshots.begin() as connection:
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """Enter a transaction; its dead rows are cleared away by `forget_removed`."""
        with self.transaction() as connection:
            yield connection

    def forget_removed(self) -> None:
        """Have the server clear dead rows away now; its log and its backups keep them for as long as it keeps those."""
        self._refuse_when_closed()
        with named_by_server(self._where), self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"VACUUM {_PERSONAL}")

    def backup(self, path: Path) -> None:
        """Refuse: the server has the means."""
        raise StoreError("STORE_FAILED", f"the store in {self._where}: {path} can't be written from here; use pg_dump")

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreError("STORE_CLOSED", f"the store in {self._where} was closed")

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        self._engine.dispose()
