"""Clips in the store: promised with their alert, there or noted as absent, and forgotten with the other evidence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from service.ports import StoreUnavailable
from service.store.disk import Disk
from service.store.erasure import Scope
from service.store.evidence import PENDING, Gone
from service.store.fake import FakeStore
from service.store.retention import DAY_MS, Limits
from service.store.store import Store
from service.store.sweep import ORPHAN_AFTER, Swept
from tests.store.made import START_MS, HeldClock, alert, ended, fired, still

MP4 = b"not really a film"
ONE = alert(1).id
HOUR_MS = round(1000 * ORPHAN_AFTER)


def write(path: Path) -> None:
    path.write_bytes(MP4)


def promised(store: Store | FakeStore, *numbers: int) -> None:
    for number in numbers:
        one = alert(number)
        store.record([fired(one)], [still(one)], [], [one.id])


@pytest.mark.parametrize("real", [True, False], ids=["real", "fake"])
def test_a_clip_is_to_come_then_there(tmp_path: Path, real: bool) -> None:
    store = Store(tmp_path, []) if real else FakeStore()
    with pytest.raises(StoreUnavailable, match="not recorded yet"):
        store.keep_clip(ONE, write)
    promised(store, 1)
    assert (store.picture(ONE, "clip"), store.why_gone(ONE, "clip")) == (None, PENDING)
    history = store.alert(ONE)
    assert history and history.evidence == ("clean",)
    store.keep_clip(ONE, write)
    assert (store.picture(ONE, "clip"), store.why_gone(ONE, "clip")) == (MP4, None)
    history = store.alert(ONE)
    assert history and history.evidence == ("clean", "clip")
    store.no_clip(ONE, "too late to say so")
    store.record([fired(alert(1))], [], [], [ONE])  # once more
    assert store.picture(ONE, "clip") == MP4
    store.record([fired(alert(2))], [], [])
    store.keep_clip(alert(2).id, write)  # nobody promised one
    assert (store.picture(alert(2).id, "clip"), store.why_gone(alert(2).id, "clip")) == (None, None)
    store.close()


@pytest.mark.parametrize("real", [True, False], ids=["real", "fake"])
def test_why_there_is_none_is_noted(tmp_path: Path, real: bool) -> None:
    store = Store(tmp_path, []) if real else FakeStore()
    promised(store, 1, 2)

    def fails(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("no such encoder")

    with capture_logs():
        store.keep_clip(ONE, fails)
    store.no_clip(alert(2).id, "too many waited")
    for number in (1, 2):
        assert store.why_gone(alert(number).id, "clip") == "not_written"
        store.keep_clip(alert(number).id, write)
        assert store.picture(alert(number).id, "clip") is None
    store.close()
    assert not [path for path in tmp_path.rglob("*") if "clip" in path.name]


def test_a_full_disk_costs_the_clip_alone_and_says_so(tmp_path: Path) -> None:
    clock = HeldClock(START_MS)
    with Store(tmp_path, ["room"], clock=clock, disk=NoRoom(tmp_path / "evidence")) as store, capture_logs():
        promised(store, 1)
        store.keep_clip(ONE, write)
        assert store.keeping.gone(ONE, "clip") == Gone(START_MS, "not_written", "No space left on device")
        assert store.open_alerts("gate") == [alert(1)]
        assert store.picture(ONE, "clean") is not None


class NoRoom(Disk):
    """A disk with room for stills."""

    def fill(self, path: str, write: object) -> None:
        if path.endswith(".mp4"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().fill(path, write)  # type: ignore[arg-type]


def test_after_a_kill_what_was_to_come_is_lost_and_what_was_written_is_there(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        promised(store, 1, 2)
        store.keep_clip(ONE, write)
        with store._database.transaction() as connection:  # as if it had been killed before the row was changed
            connection.execute(
                text("UPDATE evidence SET missing = TRUE, why = 'pending', size = 0 WHERE kind = 'clip'")
            )
        assert store.why_gone(ONE, "clip") == PENDING
    with capture_logs() as lines, Store(tmp_path, []) as store:
        assert store.swept == Swept(0, 0)
        assert store.picture(ONE, "clip") == MP4
        assert store.why_gone(alert(2).id, "clip") == "lost"
        assert store.keeping.status().gone == {"lost": 1}
        assert store.keeping.status().files == 3
    assert [line["count"] for line in lines if line["event"] == "clips_lost"] == [1]


def test_a_clip_that_nobody_brought_within_an_hour_is_lost(tmp_path: Path) -> None:
    clock = HeldClock(START_MS)
    with Store(tmp_path, [], clock=clock) as store:
        promised(store, 1)
        assert store.keeping.sweep() == Swept(0, 0)
        assert store.keeping.status().missing == 0
        clock.wall_ms += HOUR_MS - 1
        store.keeping.sweep()
        assert store.why_gone(ONE, "clip") == PENDING
        clock.wall_ms += 2000
        store.keeping.sweep()
        assert store.why_gone(ONE, "clip") == "lost"


def test_a_clip_goes_with_its_alert_s_evidence_also_one_that_comes_late(tmp_path: Path) -> None:
    clock = HeldClock(START_MS)
    with Store(tmp_path, [], clock=clock, limits=Limits(free_bytes=0)) as store:
        promised(store, 1, 2, 3)
        store.record([ended(alert(number)) for number in (1, 2, 3)], [], [])
        for number in (1, 3):
            store.keep_clip(alert(number).id, write)
        store.keeping.hold(alert(3).id)
        clock.wall_ms += 31 * DAY_MS
        while store.keeping.step():
            pass
        assert (store.picture(ONE, "clip"), store.why_gone(ONE, "clip")) == (None, "age")
        store.keep_clip(alert(2).id, write)
        assert store.why_gone(alert(2).id, "clip") == "age"
        assert store.picture(alert(3).id, "clip") == MP4
        store.keeping.release(alert(3).id)
        store.keeping.erase(Scope(alert=alert(3).id), "letter 12")
        assert (store.picture(alert(3).id, "clip"), store.why_gone(alert(3).id, "clip")) == (None, "erased")
    assert not list((tmp_path / "evidence").rglob("*.*"))


def test_what_is_erased_while_it_is_written_does_not_stay(tmp_path: Path) -> None:
    with Store(tmp_path, [], clock=HeldClock(START_MS + DAY_MS)) as store:
        promised(store, 1)
        store.record([ended(alert(1))], [], [])

        def slow(path: Path) -> None:
            write(path)
            store.keeping.erase(Scope(alert=ONE), "letter 12")

        store.keep_clip(ONE, slow)
        assert (store.picture(ONE, "clip"), store.why_gone(ONE, "clip")) == (None, "erased")
        store.record([fired(alert(1))], [], [], [ONE])
        assert store.why_gone(ONE, "clip") == "erased"
    assert not list((tmp_path / "evidence").rglob("*.*"))


def test_half_a_clip_that_a_crash_left_is_swept(tmp_path: Path) -> None:
    Store(tmp_path, []).close()
    part = tmp_path / "evidence" / "2025-01-01" / "a" / ".clip.12.3.tmp"
    part.parent.mkdir(parents=True)
    part.write_bytes(MP4)
    os.utime(part, (0, 0))
    with Store(tmp_path, [], clock=HeldClock(START_MS)) as store:
        assert store.swept == Swept(removed=1, missing=0)
