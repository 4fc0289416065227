"""The outbox against a plain list that says what it should do."""

from __future__ import annotations

import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.store.fake import FakeStore
from service.store.outbox import Backlog
from service.store.store import Store
from tests.store.made import START_MS, message

CAMERAS, ENDPOINTS = ("dock", "gate"), ("lamp", "room")


@dataclass
class Row:
    number: int
    camera: str
    endpoint: str
    attempts: int = 0
    next_ms: int = 0
    tried_ms: int = 0
    finished: bool = False


class PlainList:
    """All deliveries in the order in which they were put, and the rule word for word."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def put(self, number: int, camera: str) -> None:
        if all(row.number != number for row in self.rows):
            self.rows += [Row(number, camera, endpoint) for endpoint in ENDPOINTS]

    def due(self, now_ms: int) -> list[Row]:
        found = []
        for index, row in enumerate(self.rows):
            ahead = [
                other
                for other in self.rows[:index]
                if (other.camera, other.endpoint) == (row.camera, row.endpoint) and not other.finished
            ]
            if not row.finished and not ahead and (row.next_ms <= now_ms or row.tried_ms > now_ms):
                found.append(row)
        return found


@dataclass(frozen=True)
class Step:
    do: Literal["put", "put again", "deliver", "fail", "bury"]
    camera: str
    which: int
    wait_ms: int
    back_ms: int


steps = st.lists(
    st.builds(
        Step,
        do=st.sampled_from(["put", "put", "put again", "deliver", "fail", "bury"]),
        camera=st.sampled_from(CAMERAS),
        which=st.integers(0, 7),
        wait_ms=st.integers(0, 3),
        back_ms=st.sampled_from([0, 0, 0, 1, 2, 9]),
    ),
    max_size=40,
)


def act(store: Store | FakeStore, told: list[Step]) -> None:
    plain, now, last = PlainList(), START_MS, -1
    for step in told:
        now += step.wait_ms - step.back_ms  # the wall clock may be set back
        due, expected = store.due(now), plain.due(now)
        assert [(one.message.id, one.endpoint, one.attempts) for one in due] == [
            (str(row.number), row.endpoint, row.attempts) for row in expected
        ]
        if step.do.startswith("put"):
            again = step.do == "put again" and last >= 0
            last = last if again else last + 1
            camera = next((row.camera for row in plain.rows if row.number == last), step.camera)
            store.record([], [], [message(str(last), camera)])
            plain.put(last, camera)
        elif due:
            delivery, row = due[step.which % len(due)], expected[step.which % len(due)]
            row.attempts += 1
            row.tried_ms = now
            if step.do == "fail":
                row.next_ms = now + 2 * step.wait_ms
                store.failed(delivery, now, "no answer", row.next_ms)
            elif step.do == "bury":
                row.finished = True
                store.failed(delivery, now, "gone", None)
            else:
                row.finished = True
                store.delivered(delivery, now)


@given(steps)
@settings(max_examples=200)
def test_the_fake_keeps_the_order(told: list[Step]) -> None:
    act(FakeStore(ENDPOINTS), told)


@pytest.mark.thorough
@given(steps)
@settings(max_examples=25)
def test_the_store_keeps_the_order(told: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder), ENDPOINTS) as store:
        act(store, told)


def test_order_and_attempts_outlive_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path, ENDPOINTS) as store:
        store.record([], [], [message("a"), message("b")])
        store.failed(store.due(START_MS)[0], START_MS, "x" * 9999, START_MS + 1000)
    with Store(tmp_path, ENDPOINTS) as store:
        assert [(one.message.id, one.endpoint) for one in store.due(START_MS)] == [("a", "room")]
        assert store.due(START_MS + 1000)[0].attempts == 1
        assert store.backlog() == {name: Backlog(2, START_MS, 0) for name in ENDPOINTS}


def test_an_endpoint_gets_what_was_recorded_since_it_was_named(tmp_path: Path) -> None:
    with Store(tmp_path, ["lamp"]) as store:
        store.record([], [], [message("a")])
    with Store(tmp_path, ["room", "room"]) as store:
        assert store.due(START_MS) == []
        store.record([], [], [message("b")])
        assert [(one.message.id, one.endpoint) for one in store.due(START_MS)] == [("b", "room")]
        store.failed(store.due(START_MS)[0], START_MS, "gone", None)
        assert store.backlog() == {"room": Backlog(0, None, 1)}
    with Store(tmp_path, ["lamp"]) as store:
        assert [one.message.id for one in store.due(START_MS)] == ["a"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT min(message) FROM deliveries WHERE state = 'pending' GROUP BY endpoint, camera", "deliveries_pending"),
        ("SELECT count(*) FROM deliveries WHERE endpoint = ? AND state = 'dead'", "deliveries_dead"),
        ("SELECT * FROM alerts WHERE camera = ? AND ended_ms IS NULL", "alerts_open"),
        ("SELECT * FROM alerts WHERE camera = ? AND ending = 'lost_sight' AND seen_ms >= 0", "alerts_lost"),
        ("SELECT DISTINCT camera FROM alerts WHERE ended_ms IS NULL", "alerts_open"),
    ],
)
def test_waiting_work_is_found_without_reading_the_past(tmp_path: Path, query: str, index: str) -> None:
    Store(tmp_path, ENDPOINTS).close()
    rows = sqlite3.connect(tmp_path / "ppe.db")
    arguments = ("lamp",) if "?" in query else ()
    plan = " ".join(row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {query}", arguments))
    rows.close()
    assert index in plan
