"""A PostgreSQL server of the tests' own: in a folder that goes with it, on a socket in there, and for nobody else."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from service.store.database import open_database
from service.store.schema import tables

_QUICK = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"


@dataclass
class Server:
    """A running server, reached through the socket in `folder`."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _pattern: URL | None = None
    _known: URL | None = None

    def made(self, pattern: str = "template1") -> URL:
        """Make a database with nothing in it, or a copy of another."""
        name = f"ppe_{next(self._numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {pattern}")
        return URL.create("postgresql+psycopg", "ppe", database=name, query={"host": str(self.folder)})

    def fresh(self) -> URL:
        """Make a database with the store's tables."""
        if self._pattern is None:
            self._pattern = self.made()
            with tempfile.TemporaryDirectory() as folder:
                open_database(Path(folder), self._pattern).close()
            self._empty(self._pattern)
        return self.made(str(self._pattern.database))

    def emptied(self) -> URL:
        """Return the address of a database with the store's tables and no rows: the same again, which is quicker."""
        if self._known is None:
            self._known = self.fresh()
        self._empty(self._known)
        return self._known

    def _empty(self, address: URL) -> None:
        past_triggers = "SET session_replication_role = replica"  # one lets the audit log only grow
        emptied = [f"DELETE FROM {name}" for name in tables.tables]
        self.execute(address.database, past_triggers, *emptied, "ALTER SEQUENCE messages_number_seq RESTART")

    def execute(self, database: str | None, *statements: str) -> None:
        """Run statements in a database."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user="ppe", dbname=database, autocommit=True) as connection:
            connection.execute("; ".join(statements))


def address_for(request: pytest.FixtureRequest) -> URL | None:
    """Return where a fixture's store keeps its rows: on the server for its parameter `postgres`, else in a file."""
    server: Server | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return server.emptied() if server else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, or a skip."""
    programs = _programs()
    # not below pytest's folder: a socket's path is short, and the server's own user must get there
    folder = Path(tempfile.mkdtemp(prefix="ppe-postgres-", dir="/tmp"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # as root the server refuses to run
        owner = next((one for one in pwd.getpwall() if one.pw_name == "postgres"), None) or pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        with (folder / "log").open("a") as log:  # a pipe would stay open for as long as the server runs
            subprocess.run(command, stdout=log, stderr=log, cwd="/", check=True, timeout=100, **who)

    try:
        run("initdb", "-U", "ppe", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run("pg_ctl", "start", "-w", "-o", f"-k {folder} -c listen_addresses='' {_QUICK}")
        try:
            yield Server(folder)
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder with initdb and pg_ctl, or skip."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs psycopg (extra: postgres), which is not there")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if found is None:
        pytest.skip("needs a PostgreSQL server (initdb), which is not there")
    return Path(found).resolve().parent
