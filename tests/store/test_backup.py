"""A backup that is made while the store is written is whole, and becomes a store again; a damaged one does not."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.store.copies import Backup, NoBackup, back_up, restore
from service.store.errors import StoreError
from service.store.sqlite import Sqlite
from service.store.store import Store
from tests.store.made import JPEG, START_MS, alert, ended, fired, message, still

Members = list[tuple[str, bytes]]


def filled(folder: Path, count: int = 3) -> Path:
    with Store(folder, ["room"]) as store:
        fill(store, range(1, count + 1))
    return folder


def fill(store: Store, numbers: range) -> None:
    for number in numbers:
        one = alert(number)
        store.record([fired(one), ended(one)], [still(one)], [message(f"m{number}")])


def checked(folder: Path, count: int) -> None:
    """The store holds alerts 1 to `count`, whole, and goes on."""
    with Store(folder, ["room"]) as store:
        assert store.swept.missing == 0
        assert {int(one.id, 16) for one in store.alerts(100_000)} == set(range(1, count + 1))
        for number in range(1, count + 1):
            history = store.alert(alert(number).id)
            assert history is not None
            assert [change.kind for change in history.changes] == ["fired", "resolved"]
            assert store.picture(alert(number).id, "clean") == JPEG
        assert store.backlog()["room"].pending == count
        fill(store, range(count + 1, count + 2))


def test_a_backup_made_while_writing_is_whole_and_can_be_restored(tmp_path: Path) -> None:
    home, file = tmp_path / "store", tmp_path / "backup.tar"
    enough, stop = threading.Event(), threading.Event()
    last = 0

    def write(store: Store) -> None:
        nonlocal last
        while not stop.is_set():
            fill(store, range(last + 1, last + 2))
            last += 1
            if last == 20:
                enough.set()

    with Store(home, ["room"]) as store:
        writer = threading.Thread(target=write, args=(store,))
        writer.start()
        assert enough.wait(30)
        before = last
        made = back_up(home, file, START_MS)
        after = last
        stop.set()
        writer.join()
        assert not (home / "ppe.db.copy").exists()
    assert before <= made.alerts <= after + 1
    assert made.files >= made.alerts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "store"]
    assert not (home / "ppe.sock").exists()
    assert restore(file, tmp_path / "restored") == made
    checked(tmp_path / "restored", made.alerts)


def test_a_store_that_nobody_has_open_is_backed_up_as_it_is(tmp_path: Path) -> None:
    """An older revision stays one: a backup before an upgrade is a way back."""
    home, file = filled(tmp_path / "store"), tmp_path / "backup.tar"
    rows = sqlite3.connect(home / "ppe.db", isolation_level=None)
    rows.execute("UPDATE alembic_version SET version_num = 'older'")
    rows.close()
    assert back_up(home, file, START_MS) == Backup(START_MS, 3, 3, 3 * len(JPEG), (home / "ppe.db").stat().st_size)
    (tmp_path / "empty").mkdir()
    restore(file, tmp_path / "empty")
    rows = sqlite3.connect(tmp_path / "empty" / "ppe.db", isolation_level=None)
    assert rows.execute("SELECT version_num FROM alembic_version").fetchall() == [("older",)]
    rows.close()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o700


def test_the_database_alone_is_backed_up_when_that_is_asked_for(tmp_path: Path) -> None:
    made = back_up(filled(tmp_path / "store"), tmp_path / "backup.tar", START_MS, evidence=False)
    assert (made.alerts, made.files) == (3, 0)
    restore(tmp_path / "backup.tar", tmp_path / "restored")
    with Store(tmp_path / "restored", []) as store:
        assert store.swept.missing == 3


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    home, file = filled(tmp_path / "store"), tmp_path / "backup.tar"
    file.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="overwrites nothing"):
        back_up(home, file, START_MS)
    assert file.read_bytes() == b"mine"
    file.unlink()
    back_up(home, file, START_MS)
    with pytest.raises(FileExistsError, match="is not empty"):
        restore(file, home)
    checked(home, 3)


def test_a_store_that_closes_gives_no_copy(tmp_path: Path) -> None:
    class Closing(Sqlite):
        def _let_others(self, *_: int) -> None:
            self._turn.release()
            self.close()
            self._turn.acquire()
            self._opened()

    database = Closing(filled(tmp_path / "store"))
    with pytest.raises(StoreError, match="was closed"):
        back_up(tmp_path / "store", tmp_path / "backup.tar", START_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    database.close()
    checked(tmp_path / "store", 3)


def test_a_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    home = filled(tmp_path / "store", 40)
    rows = sqlite3.connect(home / "ppe.db", isolation_level=None)
    rows.execute("PRAGMA foreign_keys=OFF")
    rows.execute("DELETE FROM alerts WHERE rowid = 1")
    rows.close()
    with pytest.raises(StoreError, match="the copy of the database is damaged") as refused:
        back_up(home, tmp_path / "backup.tar", START_MS)
    assert refused.value.code == "STORE_CORRUPT"
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def without_end(members: Members) -> Members:
    return members[:-1]


def with_another_picture(members: Members) -> Members:
    return [(name, b"other" if name.endswith(".jpg") else content) for name, content in members]


def with_a_path_outside(members: Members) -> Members:
    return [("evidence/2025-06-15/../../../x.jpg", b"x"), *members]


def of_a_newer_version(members: Members) -> Members:
    name, note = members[-1]
    return [*members[:-1], (name, json.dumps({**json.loads(note), "format": 2}).encode())]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_end, "its end is missing"),
        (with_another_picture, "it was changed"),
        (with_a_path_outside, "belongs to no backup"),
        (of_a_newer_version, "a newer version"),
    ],
    ids=lambda one: one.__name__ if callable(one) else "says",
)
def test_a_damaged_backup_becomes_no_store(tmp_path: Path, change: Callable[[Members], Members], says: str) -> None:
    file, changed = tmp_path / "backup.tar", tmp_path / "changed.tar"
    back_up(filled(tmp_path / "store"), file, START_MS)
    with tarfile.open(file) as archive:
        members = [(one.name, content.read()) for one in archive if (content := archive.extractfile(one))]
    with tarfile.open(changed, "w") as archive:
        for name, content in change(members):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(NoBackup, match=says):
        restore(changed, tmp_path / "restored")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "changed.tar", "store"]


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100], ids=["empty", "text"])
def test_a_file_of_something_else_becomes_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NoBackup, match="is no sound backup"):
        restore(tmp_path / "file", tmp_path / "restored")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
