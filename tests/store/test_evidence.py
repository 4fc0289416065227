"""Pictures before rows, rows only with pictures, and what a crash leaves is cleared away."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from service.ports import Still
from service.store.errors import StoreError
from service.store.evidence import GIVEN_UP, Gone
from service.store.store import Store
from service.store.sweep import Swept
from service.worker.records import MOST_BYTES, Records
from tests.store.made import JPEG, START_MS, HeldClock, alert, fired, message, still

HOUR = 3600


def aged(path: Path, wall_ms: int) -> Path:
    """Say that a file was last written then."""
    os.utime(path, (wall_ms / 1000, wall_ms / 1000))
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_still_is_found_by_alert_and_kind_only(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        kinds = [Still(alert(1).id, kind, kind.encode()) for kind in ("annotated", "clean", "crop")]
        store.record([fired(alert(1))], kinds, [])
        path = store.evidence_path(alert(1).id, "crop")
        assert path == tmp_path / "evidence" / "2025-06-15" / alert(1).id / "crop.jpg"
        assert path.read_bytes() == b"crop"
        for one, kind in ((alert(1).id, "../clean"), ("../..", "clean"), (alert(2).id, "clean"), ("", "")):
            assert store.evidence_path(one, kind) is None


def test_a_better_still_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        store.record([], [still(alert(1), b"better")], [])
        path = store.evidence_path(alert(1).id, "clean")
    assert path is not None
    assert path.read_bytes() == b"better"
    assert len(files(tmp_path / "evidence")) == 1


def test_a_transaction_that_fails_leaves_a_file_at_most(tmp_path: Path) -> None:
    Store(tmp_path, []).close()
    rows = sqlite3.connect(tmp_path / "ppe.db")
    rows.execute("CREATE TRIGGER no BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no messages today'); END")
    rows.close()
    with Store(tmp_path, ["room"]) as store:
        with pytest.raises(StoreError, match="no messages today") as failed:
            store.record([fired(alert(1))], [still(alert(1))], [message("a")])
        assert failed.value.code == "STORE_FAILED"
        assert store.alert(alert(1).id) is None
        assert store.evidence_path(alert(1).id, "clean") is None
        store.record([fired(alert(2))], [still(alert(2))], [])
        assert store.open_alerts("gate") == [alert(2)]


def test_an_alert_whose_still_can_not_be_written_is_kept_and_says_why(tmp_path: Path) -> None:
    with Store(tmp_path, ["room"], clock=HeldClock(START_MS)) as store:
        (tmp_path / "evidence").write_text("a file stands where the folder should be")
        store.record([fired(alert(1))], [still(alert(1))], [message("a")])
        assert store.open_alerts("gate") == [alert(1)]
        assert [one.message.id for one in store.due(START_MS)] == ["a"]
        assert store.evidence_path(alert(1).id, "clean") is None
        assert store.keeping.gone(alert(1).id, "clean") == Gone(START_MS, "not_written", "Not a directory")
        (tmp_path / "evidence").unlink()
        store.record([], [still(alert(1))], [])
        assert store.evidence_path(alert(1).id, "clean") is not None
        assert store.keeping.gone(alert(1).id, "clean") is None


def test_a_picture_that_was_given_up_in_memory_says_so(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1), b"")], [])
        gone = store.keeping.gone(alert(1).id, "clean")
        assert gone is not None
        assert (gone.why, gone.detail) == ("not_written", GIVEN_UP)
        assert files(tmp_path / "evidence") == []


def test_pictures_that_waited_too_long_for_the_store_are_noted_as_absent(tmp_path: Path) -> None:
    class Full(Store):
        full = True

        def record(self, *what: Any) -> None:
            if self.full:
                raise StoreError("STORE_FULL", "no space is left on its disk")
            super().record(*what)

    with Full(tmp_path, []) as store:
        waiting = Records(store, "gate", lambda: None)
        for number in (1, 2):
            waiting.keep([fired(alert(number))], [still(alert(number), bytes(MOST_BYTES * 2 // 3))])
        store.full = False
        waiting.save()
        assert store.open_alerts("gate") == [alert(1), alert(2)]
        gone = store.keeping.gone(alert(1).id, "clean")
        assert gone is not None
        assert (gone.why, gone.detail) == ("not_written", GIVEN_UP)
        assert store.evidence_path(alert(2).id, "clean") is not None


def test_opening_clears_old_orphans_and_marks_what_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1)), fired(alert(2))], [still(alert(1)), still(alert(2))], [])
        kept, gone = (store.evidence_path(alert(number).id, "clean") for number in (1, 2))
    assert kept is not None and gone is not None
    orphans = tmp_path / "evidence" / "2025-06-14" / alert(9).id
    orphans.mkdir(parents=True)
    clock = HeldClock(START_MS)
    for name in ("clean.jpg", ".crop.1.2.tmp"):
        (orphans / name).write_bytes(JPEG)
        aged(orphans / name, START_MS - (HOUR + 1) * 1000)
    young = tmp_path / "evidence" / "2025-06-14" / alert(8).id / "clean.jpg"
    young.parent.mkdir()
    young.write_bytes(JPEG)
    aged(young, START_MS - (HOUR - 1) * 1000)
    aged(kept, START_MS - 1000 * HOUR * 1000)
    aside = gone.rename(tmp_path / "aside.jpg")

    with Store(tmp_path, [], clock=clock) as store:
        assert store.swept == Swept(removed=2, missing=1)
        assert not orphans.exists() and young.exists() and kept.exists()
        assert store.evidence_path(alert(2).id, "clean") is None
        history = store.alert(alert(2).id)
        assert history is not None and history.evidence == ()
    aside.rename(gone)
    with Store(tmp_path, [], clock=clock) as store:
        assert store.swept == Swept(removed=0, missing=0)
        assert store.evidence_path(alert(2).id, "clean") == gone
