"""What is erased on request is gone from rows, files, messages and recordings; a tombstone says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from service.inquiry import Mark
from service.ports import Message
from service.safety.alerts import Alert
from service.store.disk import Disk
from service.store.erasure import ERASED, Scope
from service.store.errors import StoreError
from service.store.keeping import UnknownAlert
from service.store.store import Store
from tests.store.made import START_MS, HeldClock, alert, detections, ended, fired, moment, still

SECRET = "the-person-who-asked"
CLOCK = HeldClock(START_MS + 86_400_000)


def message(one: Alert, kind: str = "fired") -> Message:
    body = {"type": f"alert.{kind}", "data": {"alert": one.id, "person": one.person}}
    return Message(f"{one.id}-{kind}", f"alert.{kind}", one.camera, START_MS, json.dumps(body))


def keep(store: Store, *several: Alert) -> None:
    for one in several:
        store.record([fired(one)], [still(one)], [message(one)])
        store.record([ended(one)], [], [message(one, "resolved")])


def persons(store: Store) -> dict[int, str]:
    return {int(one.id, 16): one.person for one in store.alerts(1000)}


def test_an_erased_alert_keeps_what_names_nobody(tmp_path: Path) -> None:
    one = replace(alert(1), person=SECRET)
    with Store(tmp_path, ["room"], clock=CLOCK) as store:
        keep(store, one, alert(2))
        store.mark(one.id, Mark("acknowledged", START_MS, f"Kim of {SECRET}", f"talked to {SECRET}"))
        path = store.evidence_path(one.id, "clean")
        assert path is not None
        done = store.keeping.erase(Scope(alert=one.id), "privacy office, letter 12")
        assert (done.still_open, done.held) == ((), ())
        assert done.tombstone.asked_by == "privacy office, letter 12"
        assert done.tombstone.scope == Scope(alert=one.id)
        assert (done.tombstone.alerts, done.tombstone.files) == (1, 1)
        assert done.tombstone.at_ms == done.tombstone.finished_ms == CLOCK.wall_ms
        assert not path.parent.exists()
        history = store.alert(one.id)
        assert history is not None
        assert (history.alert.person, history.alert.box) == (ERASED, (0.0, 0.0, 0.0, 0.0))
        assert [(mark.by, mark.note) for mark in history.marks] == [("", "")]
        assert (history.alert.camera, history.alert.fired) == (one.camera, one.fired)
        gone = store.keeping.gone(one.id, "clean")
        assert gone is not None
        assert gone.why == "erased"
        assert [one.message.id for one in store.due(START_MS)] == [message(alert(2)).id]
        for file in (tmp_path / "ppe.db", tmp_path / "ppe.db-wal"):
            assert SECRET.encode() not in file.read_bytes()
    with Store(tmp_path, ["room"], clock=CLOCK) as store:
        assert store.keeping.status().erasures == (done.tombstone,)
        assert persons(store) == {1: ERASED, 2: "p2"}


def test_what_is_said_again_late_brings_nothing_back(tmp_path: Path) -> None:
    with Store(tmp_path, ["room"], clock=CLOCK) as store:
        keep(store, alert(1))
        store.keeping.erase(Scope(alert=alert(1).id), "somebody")
        keep(store, alert(1))
        store.record([ended(alert(1), 99)], [], [])
        assert persons(store) == {1: ERASED}
        assert store.due(START_MS) == []
        assert list((tmp_path / "evidence").rglob("*.jpg")) == []


def test_a_camera_or_a_period_or_both(tmp_path: Path) -> None:
    with Store(tmp_path, [], clock=CLOCK) as store:
        keep(store, *(alert(number, "gate" if number % 2 else "dock") for number in range(1, 61)))
        period = {"from_ms": moment(25).wall_ms, "to_ms": moment(30).wall_ms}
        store.keeping.erase(Scope(camera="gate", **period), "somebody")
        of_gate = {number for number, person in persons(store).items() if person == ERASED}
        # an alert ends 10 s after it fired, and began 2.25 s before
        assert of_gate == {15, 17, 19, 21, 23, 25, 27, 29, 31}
        done = store.keeping.erase(Scope(**period), "somebody")
        assert done.tombstone.alerts == 9
        done = store.keeping.erase(Scope(camera="gate"), "somebody")
        assert done.tombstone.alerts == 21
        assert {number % 2 for number, person in persons(store).items() if person != ERASED} == {0}
        assert store.keeping.status().files == 21


def test_open_and_held_alerts_are_left_and_named(tmp_path: Path) -> None:
    with Store(tmp_path, [], clock=CLOCK) as store:
        keep(store, alert(1), alert(2))
        store.record([fired(alert(3))], [still(alert(3))], [])
        store.keeping.hold(alert(2).id)
        done = store.keeping.erase(Scope(camera="gate"), "somebody")
        assert (done.still_open, done.held) == ((alert(3).id,), (alert(2).id,))
        assert persons(store) == {1: ERASED, 2: "p2", 3: "p3"}
        assert store.keeping.status().files == 2


def test_recorded_frames_go_as_well(tmp_path: Path) -> None:
    with Store(tmp_path, [], clock=HeldClock(START_MS)) as store:
        for camera in ("gate", "dock"):
            for second in range(0, 600, 100):
                store.remember(camera, moment(second), detections())
                store.flush()
        period = Scope(camera="gate", from_ms=moment(200).wall_ms, to_ms=moment(300).wall_ms)
        store.keeping.erase(period, "somebody")
        assert [at.seconds for at, _ in store.recording("gate")] == [0, 100, 400, 500]
        store.keeping.erase(Scope(camera="gate"), "somebody")
        assert list(store.recording("gate")) == []
        assert len(list(store.recording("dock"))) == 6


def test_an_erasure_that_a_fault_of_the_disk_cut_off_is_carried_on(tmp_path: Path) -> None:
    class Stuck(Disk):
        stuck = True

        def remove(self, paths: object) -> None:
            if self.stuck:
                raise OSError(5, "Input/output error")
            super().remove(paths)  # type: ignore[arg-type]

    disk = Stuck(tmp_path / "evidence")
    with Store(tmp_path, ["room"], clock=CLOCK, disk=disk) as store:
        keep(store, *(alert(number) for number in range(1, 31)))
        with pytest.raises(StoreError, match="Input/output error"):
            store.keeping.erase(Scope(camera="gate"), "somebody")
        assert [one.finished_ms for one in store.keeping.status().erasures] == [None]
    with Store(tmp_path, ["room"], clock=CLOCK) as store:
        assert store.keeping.step() == 1
        assert store.keeping.step() == 0
        (tombstone,) = store.keeping.status().erasures
        assert (tombstone.alerts, tombstone.files, tombstone.finished_ms) == (30, 30, CLOCK.wall_ms)
        assert set(persons(store).values()) == {ERASED}
        assert store.due(START_MS) == []


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ({}, "name an alert, a camera or a period"),
        ({"alert": "a", "camera": "gate"}, "not both"),
        ({"from_ms": 5, "to_ms": 5}, "ends before it begins"),
    ],
)
def test_a_scope_that_says_nothing_is_refused(scope: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Scope(**scope)  # type: ignore[arg-type]


def test_only_an_alert_that_there_is_can_be_erased(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        with pytest.raises(UnknownAlert, match="there is no alert"):
            store.keeping.erase(Scope(alert="0000"), "somebody")
        assert store.keeping.status().erasures == ()
