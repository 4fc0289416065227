"""What is PostgreSQL's own: whose folder it is, a server that goes away, and a password that nobody sees."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from sqlalchemy import URL

from service.settings import Settings
from service.store.address import address_of
from service.store.errors import StoreError
from service.store.store import Store
from tests.postgres import Server
from tests.store.made import alert, fired, still

SECRET = "correct horse battery"


def refused(folder: Path, address: URL | None) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store(folder, [], address=address)
    return caught.value


def test_several_processes_share_rows_and_pictures(postgres: Server, tmp_path: Path) -> None:
    address = postgres.emptied()
    with Store(tmp_path, [], address=address) as one, Store(tmp_path, [], address=address) as other:
        one.record([fired(alert(1))], [still(alert(1))], [])
        assert other.picture(alert(1).id, "clean") is not None
    assert not (tmp_path / "ppe.db").exists()


def test_a_folder_of_something_else_is_refused_and_nothing_in_it_swept(postgres: Server, tmp_path: Path) -> None:
    address = postgres.emptied()
    ours, theirs, files = tmp_path / "ours", tmp_path / "theirs", tmp_path / "files"
    with Store(ours, [], address=address) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
    mend = refused(theirs, address)
    assert mend.code == "STORE_MISSING"
    identity = (ours / "ppe.folder").read_text().strip()
    assert f"write {identity} into {theirs / 'ppe.folder'}" in str(mend)
    assert "choose another folder" in str(refused(ours, postgres.fresh()))
    Store(files, []).close()
    assert "pictures of the SQLite database" in str(refused(files, postgres.fresh()))
    ours.rename(tmp_path / "moved")
    with Store(tmp_path / "moved", [], address=address) as store:
        assert store.picture(alert(1).id, "clean") is not None


def test_a_server_that_was_started_again_costs_no_call(postgres: Server, tmp_path: Path) -> None:
    address = postgres.emptied()
    with Store(tmp_path, [], address=address) as store:
        store.record([fired(alert(1))], [], [])
        ours = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{address.database}'"
        postgres.execute("postgres", ours)
        assert store.open_alerts("gate") == [alert(1)]


def test_a_server_that_is_away_is_named_and_the_password_is_not(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg (extra: postgres), which is not there")
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    settings = Settings(database=f"postgresql://ppe@/ppe?host={tmp_path}", database_password_file=file)
    address = address_of(settings)
    assert address is not None
    assert address.password == SECRET
    assert SECRET not in f"{address} {address!r}"
    error = refused(tmp_path / "store", address)
    assert error.code == "STORE_AWAY"
    assert str(tmp_path) in str(error)
    assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("content", "says"), [(None, "can't be read"), (b"", "holds no password"), (b"\xff", "it is no text")]
)
def test_a_password_file_that_holds_none_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=says):
        address_of(Settings(database="postgresql://ppe@db/ppe", database_password_file=file))


@pytest.mark.parametrize(
    "text",
    ["ppe", "mysql://ppe@db/ppe", "postgresql://db", "postgresql://ppe:word@db/ppe", "postgresql://db/p?password=w"],
)
def test_an_address_is_one_of_postgresql_and_holds_no_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no address|must hold no password"):
        Settings(database=text)


def test_without_an_address_the_database_is_a_file() -> None:
    assert address_of(Settings()) is None
