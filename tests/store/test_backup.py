"""A copy that is made while the store is written opens and is whole, and so is what is restored from it."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

from service.store.store import Store
from tests.store.made import alert, ended, fired, message, still


def test_a_copy_made_while_writing_is_whole_and_can_be_restored(tmp_path: Path) -> None:
    home, copy = tmp_path / "store", tmp_path / "copy"
    copy.mkdir()
    enough, stop = threading.Event(), threading.Event()
    last = 0

    def write(store: Store) -> None:
        nonlocal last
        while not stop.is_set():
            one = alert(last + 1)
            store.record([fired(one), ended(one)], [still(one)], [message(f"m{last + 1}")])
            last += 1
            if last == 20:
                enough.set()

    with Store(home, ["room"]) as store:
        writer = threading.Thread(target=write, args=(store,))
        writer.start()
        assert enough.wait(30)
        before = last
        store.backup(copy / "ppe.db")
        after = last
        shutil.copytree(home / "evidence", copy / "evidence")
        stop.set()
        writer.join()

    rows = sqlite3.connect(copy / "ppe.db")
    assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
    count = rows.execute("SELECT count(*) FROM alerts").fetchone()[0]
    rows.close()
    assert before <= count <= after + 1

    with Store(copy, ["room"]) as restored:
        assert restored.swept.missing == 0
        found = {int(one.id, 16) for one in restored.alerts(100_000)}
        assert found == set(range(1, count + 1))
        for number in found:
            history = restored.alert(alert(number).id)
            assert history is not None
            assert [change.kind for change in history.changes] == ["fired", "resolved"]
            assert history.evidence == ("clean",)
            assert restored.evidence_path(alert(number).id, "clean") is not None
        assert restored.backlog()["room"].pending == count
        restored.record([fired(alert(count + 1))], [still(alert(count + 1))], [])
