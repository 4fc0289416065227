"""A long queue costs a look no more than a short one, and its memory is a page."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.dialects import sqlite

from service.inquiry import Posted
from service.store import outbox
from service.store.store import Store
from tests.store.made import START_MS, message

QUEUE = 3_000


def filled(folder: Path, count: int) -> Store:
    store = Store(folder, ["office", "lamp"])
    store.record([], [], [message(f"m{number:06}", f"camera{number % 5}") for number in range(count)])
    return store


def test_who_is_next_is_found_by_steps_in_an_index(tmp_path: Path) -> None:
    """No part of the plan reads the table or an index from end to end."""
    filled(tmp_path, 10).close()
    compiled = outbox._DUE.compile(dialect=sqlite.dialect(paramstyle="named"))
    rows = sqlite3.connect(tmp_path / "ppe.db")
    asked = {**compiled.params, "endpoints": '["office"]', "now_ms": START_MS, "most": 10}
    plan = [row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {compiled}", asked)]
    rows.close()
    assert not [step for step in plan if step.startswith("SCAN") and ("deliveries" in step or "messages" in step)]
    assert sum("ix_deliveries_pending" in step for step in plan) >= 3


def test_a_look_at_a_long_queue_takes_no_more_steps_than_at_a_short_one(tmp_path: Path) -> None:
    steps: dict[int, int] = {}
    for count in (30, QUEUE):
        with filled(tmp_path / str(count), count) as store:
            steps[count] = counted(store)
            assert len(store.due(START_MS)) == 10
    assert steps[QUEUE] <= 1.5 * steps[30] + 10


def counted(store: Store) -> int:
    """Return how many hundreds of steps SQLite takes to find who is next."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    with store._database.transaction() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(step, 100)
        outbox.due(connection, ["office", "lamp"], START_MS, 100)
        raw.set_progress_handler(None, 0)
    return count


def test_dead_messages_are_found_without_reading_the_others(tmp_path: Path) -> None:
    with filled(tmp_path, QUEUE) as store:
        first = store.due(START_MS)[0]
        store.failed(first, START_MS, "HTTP 500", None)
        assert [one.id for one in store.find_messages(Posted(state="dead"), 10)] == [first.message.id]
    rows = sqlite3.connect(tmp_path / "ppe.db")
    query = "SELECT * FROM deliveries WHERE state = 'dead' ORDER BY message DESC, endpoint DESC LIMIT 50"
    plan = " ".join(row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {query}"))
    rows.close()
    assert "ix_deliveries_dead" in plan
    assert "TEMP B-TREE" not in plan
