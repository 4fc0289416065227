"""Pages come out of an index, whatever they are filtered by, and no picture is read from outside the store's folder."""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from service.inquiry import Mark, Wanted
from service.store import pages
from service.store.fake import FakeStore
from service.store.store import Store
from tests.store.made import alert, ended, fired, moment, still

FILTERS: dict[str, Any] = {
    "camera": "gate",
    "zone": "yard",
    "equipment": "helmet",
    "severity": "high",
    "open": True,
    "acknowledged": False,
}


SOME = [
    Wanted(**{name: FILTERS[name] for name in names})
    for count in range(len(FILTERS) + 1)
    for names in itertools.combinations(FILTERS, count)
]
SOME += [Wanted(since_ms=1), Wanted(until_ms=moment(5).wall_ms), Wanted(camera="gate", since_ms=1, open=False)]


def plans(folder: Path, wanted: list[Wanted]) -> dict[Wanted, list[str]]:
    """How SQLite finds the places of each page, in its words."""
    said: list[tuple[str, Any]] = []
    with Store(folder, []) as store:
        store.record([fired(alert(number)) for number in range(1, 9)], [], [])
        with store._database.transaction() as connection:
            engine = connection.engine

        def note(_: Connection, __: object, statement: str, parameters: Any, ___: object, ____: bool) -> None:
            if "ORDER BY alerts.fired_ms DESC" in statement:
                said.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        found = {}
        for one in wanted:
            store.find(one, 50, (moment(9).wall_ms, "x"))
            found[one], said = said, []
    with contextlib.closing(sqlite3.connect(folder / "ppe.db")) as rows:
        return {
            one: [
                row[3]
                for statement, parameters in statements
                for row in rows.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
            for one, statements in found.items()
        }


def test_a_page_is_read_from_an_index_in_order_whatever_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LOOK", 1)  # so that the series are asked, too
    for wanted, plan in plans(tmp_path, SOME).items():
        assert plan, wanted
        if wanted.open:  # these are few
            assert len(plan) == 1, (wanted, plan)
            assert plan[0].startswith("SEARCH alerts USING INDEX ix_alerts_open_fired"), (wanted, plan)
            continue
        read = [step for step in plan if "alerts" in step]
        assert not [step for step in read if not step.startswith("SEARCH alerts USING COVERING INDEX")], (wanted, plan)
        sorted_here = [step for step in plan if "TEMP B-TREE" in step]
        assert len(sorted_here) == ("ix_alerts_series" in str(plan)), (wanted, plan)  # the series themselves


@pytest.mark.parametrize("look", [0, 7])
def test_the_series_give_the_pages_that_a_look_at_everything_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    monkeypatch.setattr(pages, "LOOK", look)
    chance, fake = random.Random(look), FakeStore([])
    with Store(tmp_path, []) as store:
        for number in range(1, 41):
            made = alert(number, chance.choice(["gate", "dock"]))
            made = replace(
                made,
                fired=moment(number // 3),  # several in the same millisecond
                zone=chance.choice(["yard", "roof"]),
                equipment=chance.choice(["helmet", "vest"]),
                severity=chance.choice(["low", "high"]),
            )
            changes = [fired(made), *([ended(made)] if number % 4 else [])]
            for one in (store, fake):
                one.record(changes, [], [])
                if number % 3:
                    one.mark(made.id, Mark("acknowledged", 1, "Kim"))
        spans = [Wanted(), Wanted(since_ms=moment(5).wall_ms), Wanted(until_ms=moment(9).wall_ms)]
        for wanted, span in itertools.product(SOME, spans):
            asked = replace(wanted, since_ms=span.since_ms, until_ms=span.until_ms)
            before, seen = None, []
            while page := store.find(asked, 3, before):
                seen += [one.alert.id for one in page]
                before = page[-1].place
            assert seen == [one.alert.id for one in fake.find(asked, 100)], asked


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
