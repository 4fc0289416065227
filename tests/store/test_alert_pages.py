"""Pages come out of an index, whatever they are filtered by, and no picture is read from outside the store's folder."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from service.inquiry import Mark, Wanted
from service.store.store import Store
from tests.store.made import alert, fired, moment, still

FILTERS: dict[str, Any] = {
    "camera": "gate",
    "zone": "yard",
    "equipment": "helmet",
    "severity": "high",
    "open": True,
    "acknowledged": False,
}


def plans(folder: Path, wanted: list[Wanted]) -> dict[Wanted, list[str]]:
    """How SQLite finds each page, in its words."""
    said: list[tuple[str, Any]] = []
    with Store(folder, []) as store:
        store.record([fired(alert(number)) for number in range(1, 4)], [], [])
        with store._database.transaction() as connection:
            engine = connection.engine

        def note(_: Connection, __: object, statement: str, parameters: Any, ___: object, ____: bool) -> None:
            if " ".join(statement.split()).startswith("SELECT alerts.id FROM"):
                said.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        for one in wanted:
            store.find(one, 50, (moment(9).wall_ms, "x"))
    rows = sqlite3.connect(folder / "ppe.db")
    found = {
        one: [row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        for one, (statement, parameters) in zip(wanted, said, strict=True)
    }
    rows.close()
    return found


def test_a_page_is_read_from_an_index_in_order_whatever_the_filters(tmp_path: Path) -> None:
    some = [
        Wanted(**{name: FILTERS[name] for name in names})
        for count in range(len(FILTERS) + 1)
        for names in itertools.combinations(FILTERS, count)
    ]
    some += [Wanted(since_ms=1), Wanted(until_ms=moment(5).wall_ms), Wanted(camera="gate", since_ms=1, open=False)]
    for wanted, plan in plans(tmp_path, some).items():
        if wanted.open and plan[0].endswith("ix_alerts_open (camera=?)"):
            continue  # a camera's open alerts are few: they are sorted
        assert len(plan) == 1, (wanted, plan)
        assert plan[0].startswith("SEARCH alerts USING"), (wanted, plan)
        covers = "USING COVERING INDEX" in plan[0] or "ix_alerts_open" in plan[0]
        assert covers, (wanted, plan)


OUTSIDE = ["../ppe.db", "../../outside.jpg", "{outside}", "2025-06-15/../../../outside.jpg", "2025-06-15/link.jpg"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_row_that_leads_out_of_the_folder_leads_nowhere(tmp_path: Path, path: str) -> None:
    folder, outside = tmp_path / "store", tmp_path / "outside.jpg"
    outside.write_bytes(b"a secret")
    with Store(folder, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
    (folder / "evidence" / "2025-06-15" / "link.jpg").symlink_to(outside)
    (folder / "evidence" / "2025-06-15" / "a").mkdir()
    rows = sqlite3.connect(folder / "ppe.db", isolation_level=None)
    with Store(tmp_path / "other", []):
        pass
    with Store(folder, []) as store:
        assert store.picture(alert(1).id, "clean") is not None
    rows.execute("UPDATE evidence SET path = ?, missing = 0", (path.format(outside=outside),))
    rows.close()
    with Store(folder, []) as store:
        assert store.picture(alert(1).id, "clean") is None


def test_a_picture_that_was_removed_is_none(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        path = store.evidence_path(alert(1).id, "clean")
        assert path
        path.unlink()
        assert store.picture(alert(1).id, "clean") is None


def test_what_people_said_outlives_a_restart(tmp_path: Path) -> None:
    said = Mark("acknowledged", 1, "Kim", "Sent back.")
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [], [])
        store.mark(alert(1).id, said)
    with Store(tmp_path, []) as store:
        (listed,) = store.find(Wanted(acknowledged=True), 10)
        assert listed.marks == (said,)
