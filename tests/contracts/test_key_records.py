"""What everything promises that API keys and the audit log are kept in, run on the real database and on the fake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from service.keys import Entry, KeyRecords, covered, digest, identity, make
from service.passwords import user
from service.store.database import open_database
from service.store.fake_keys import FakeKeys
from service.store.keys import Keys
from tests.postgres import address_for
from tests.store.made import START_MS

MADE = Entry(START_MS, None, "command line", "key.create", "gate", "done")


@pytest.fixture(params=["sqlite", "postgres", "fake"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyRecords]:
    if request.param == "fake":
        yield FakeKeys()
        return
    with closing(open_database(tmp_path / "store", address_for(request))) as database:
        yield Keys(database)


def test_a_key_is_kept_used_and_revoked_for_good(records: KeyRecords) -> None:
    assert records.keys() == []
    _, one = make("gate", ["read", "detect"], START_MS)
    _, two = make("office", ["admin"], START_MS + 1)
    for key in (two, one):
        records.add_key(key, MADE)
    assert records.keys() == [one, two]
    assert one.scopes == ("detect", "read")
    records.use_key(one.id, START_MS + 5)
    assert records.revoke_key(one.id, START_MS + 9, replace(MADE, action="key.revoke"))
    assert not records.revoke_key(one.id, START_MS + 99, MADE)
    assert not records.revoke_key("none", START_MS + 99, MADE)
    assert records.keys()[0] == replace(one, used_ms=START_MS + 5, revoked_ms=START_MS + 9)
    assert [entry.action for _, entry in records.noted(10)] == ["key.revoke", "key.create", "key.create"]


def test_a_password_is_kept_of_users_who_are_there(records: KeyRecords) -> None:
    _, key = make("gate", ["read"], START_MS)
    ann = user("Ann", "operator", "correct horse battery", START_MS + 1)
    for one in (key, ann):
        records.add_key(one, MADE)
    assert records.keys() == [key, ann]
    assert records.set_password(ann.id, "another", replace(MADE, action="user.password"))
    assert records.keys() == [key, replace(ann, password="another")]
    assert not records.set_password(key.id, "another", MADE)
    assert not records.set_password("none", "another", MADE)
    records.revoke_key(ann.id, START_MS + 9, replace(MADE, action="key.revoke"))
    assert not records.set_password(ann.id, "third", MADE)
    assert [entry.action for _, entry in records.noted(10)][:2] == ["key.revoke", "user.password"]


def test_an_id_is_kept_once(records: KeyRecords) -> None:
    _, key = make("gate", ["read"], START_MS)
    records.add_key(key, MADE)
    with pytest.raises(ValueError, match=f"there is a key {key.id}"):
        records.add_key(replace(key, name="other"), MADE)
    assert records.keys() == [key]
    assert len(records.noted(10)) == 1


def test_the_log_is_read_in_pages(records: KeyRecords) -> None:
    lines = [replace(MADE, at_ms=START_MS + number, key="1a2b3c4d", times=number) for number in range(1, 6)]
    for line in lines:
        records.note(line)
    read: list[Entry] = []
    before = None
    while page := records.noted(2, before):
        read += [entry for _, entry in page]
        before = page[-1][0]
    assert read == lines[::-1]


def test_the_database_holds_no_token_and_its_log_only_grows(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as database:
        records = Keys(database)
        token, key = make("gate", ["read"], START_MS)
        records.add_key(key, MADE)
    assert token[13:].encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    rows = sqlite3.connect(tmp_path / "ppe.db", isolation_level=None)
    for statement in ("UPDATE audit SET outcome = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            rows.execute(statement)
    assert rows.execute("SELECT count(*) FROM audit").fetchone() == (1,)
    rows.close()


def test_a_token_is_256_bits_and_names_its_id() -> None:
    token, key = make("gate", ["read"], START_MS)
    assert (identity(token), digest(token)) == (key.id, key.hash)
    assert len(token.rpartition("_")[2]) == 64
    assert len({make("gate", ["read"], 0)[0] for _ in range(100)}) == 100
    for strange in ("", token[:-1], token + "0", token.upper(), f" {token}", "ppe__", f"{token}\n"):
        assert identity(strange) is None


def test_scopes_imply_others() -> None:
    assert covered(["detect"]) == {"detect"}
    assert covered(["operate"]) == {"operate", "read"}
    assert covered(["admin"]) == {"detect", "read", "operate", "admin"}


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines", "\x1b[2J"])
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(ValueError, match="name is one line"):
        make(name, ["read"], 0)
