"""An empty folder becomes a store; what this program does not know is refused and left alone."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, create_engine

from service.inquiry import Mark, Wanted
from service.ports import OFFLINE, Message
from service.safety.coverage import blindness
from service.safety.moment import Moment
from service.store.database import open_database
from service.store.errors import StoreError
from service.store.schema import tables
from service.store.sqlite import loses_commits
from service.store.statistics import HOUR_MS, HourOf
from service.store.store import Store
from tests.store.made import JPEG, alert, fired, still


def execute(folder: Path, *statements: str) -> None:
    rows = sqlite3.connect(folder / "ppe.db", isolation_level=None)
    for statement in statements:
        rows.execute(statement)
    rows.close()


def go_back(folder: Path, revision: str, address: URL | None = None) -> None:
    """Take a store's database back to an earlier revision."""
    config = Config()
    config.set_main_option("script_location", "service.store:migrations")
    engine = create_engine(address or f"sqlite:///{folder / 'ppe.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()  # or its pool keeps the file locked


def refused(folder: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store(folder, [])
    return caught.value


def test_the_migrations_make_the_tables_that_the_code_names(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    with create_engine(f"sqlite:///{tmp_path / 'ppe.db'}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [], [])
    for _ in range(2):
        with Store(tmp_path, []) as store:
            assert store.open_alerts("gate") == [alert(1)]


TOLD_BEFORE = [
    ("a", "camera.offline", "gate", {}),
    ("b", "camera.online", "gate", {}),
    ("c", "camera.offline", "dock", {}),
    ("d", "camera.cannot_judge", "gate", {"equipment": "helmet", "begins": True}),
    ("e", "camera.cannot_judge", "gate", {"equipment": "vest", "begins": True}),
    ("f", "camera.cannot_judge", "gate", {"equipment": "vest", "begins": False}),
    ("g", "alert.fired", "gate", {}),
]


def test_a_store_of_the_first_revision_knows_what_it_told(tmp_path: Path) -> None:
    def put(endpoints: list[str], tail: str = "") -> None:
        with Store(tmp_path, endpoints) as store:
            for name, kind, camera, data in TOLD_BEFORE:
                store.record([], [], [Message(name + tail, kind, camera + tail, 1, json.dumps({"data": data}))])

    put(["room"])
    put([], tail="-observed")
    go_back(tmp_path, "0002")
    execute(tmp_path, "DROP TABLE told", "DROP INDEX ix_alerts_lost", "UPDATE alembic_version SET version_num = '0001'")
    with Store(tmp_path, ["room"]) as store:
        assert store.conditions("gate") == {blindness("helmet", "mostly_unknown")}
        assert store.conditions("dock") == {OFFLINE}
        assert store.conditions("dock-observed") == frozenset()


def test_marks_are_lost_on_the_way_back_and_alerts_are_not(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
        store.mark(alert(1).id, Mark("acknowledged", 1, "Kim"))
    go_back(tmp_path, "0002")
    rows = sqlite3.connect(tmp_path / "ppe.db")
    assert "marks" not in {name for (name,) in rows.execute("SELECT name FROM sqlite_master")}
    rows.close()
    with Store(tmp_path, []) as store:
        assert store.open_alerts("gate") == [alert(1)]
        assert store.find(Wanted(acknowledged=False), 10)[0].marks == ()


def test_evidence_of_an_older_store_learns_its_age_and_its_size(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
    go_back(tmp_path, "0003")
    with Store(tmp_path, []) as store:
        found = store.keeping.status()
        assert (found.files, found.size, found.oldest_ms) == (1, len(JPEG), alert(1).fired.wall_ms)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.thorough)])
def test_an_older_store_has_sums_over_zones(tmp_path: Path, request: pytest.FixtureRequest, database: str) -> None:
    address = request.getfixturevalue("postgres").fresh() if database == "postgres" else None
    at = Moment(0, HOUR_MS)
    with Store(tmp_path, [], address=address) as store:
        store.count("gate", at, {("yard", "helmet", "worn"): 1.5, ("dock", "helmet", "worn"): 2.0}, [])
        store.count("gate", at, {("dock", "helmet", "missing"): 4.0}, [])
    go_back(tmp_path, "0011", address)
    with Store(tmp_path, [], address=address) as store:
        kept = [HourOf(HOUR_MS, "", "helmet", "missing", 4.0), HourOf(HOUR_MS, "", "helmet", "worn", 3.5)]
        assert store.person_seconds("gate", 0, 2 * HOUR_MS) == kept
        for _ in range(2):
            store.count("gate", at, {("yard", "helmet", "worn"): 1.0}, [])
            store.flush()
        assert store.person_seconds("gate", 0, 2 * HOUR_MS) == [*kept, HourOf(HOUR_MS, "yard", "helmet", "worn", 2.0)]


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["UPDATE alembic_version SET version_num = '9999'"], "revision 9999, which this version does not know"),
        (["DROP TABLE alembic_version"], "tables but no revision"),
        (["DELETE FROM alembic_version"], "tables but no revision"),
    ],
)
def test_a_database_of_something_else_is_refused_and_left_as_it_was(
    tmp_path: Path, statements: list[str], says: str
) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [], [])
    execute(tmp_path, *statements)
    for _ in range(2):
        error = refused(tmp_path)
        assert error.code == "STORE_VERSION"
        assert says in str(error)
    rows = sqlite3.connect(tmp_path / "ppe.db")
    assert rows.execute("SELECT id FROM alerts").fetchall() == [(alert(1).id,)]
    rows.close()


def test_a_lost_database_is_not_made_anew_beside_its_evidence(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([fired(alert(1))], [still(alert(1))], [])
    (tmp_path / "ppe.db").rename(tmp_path / "aside.db")
    assert refused(tmp_path).code == "STORE_MISSING"
    (tmp_path / "ppe.db").touch()
    assert refused(tmp_path).code == "STORE_MISSING"
    (tmp_path / "aside.db").rename(tmp_path / "ppe.db")
    with Store(tmp_path, []) as store:
        assert store.open_alerts("gate") == [alert(1)]


@pytest.mark.parametrize(
    ("version", "loses"),
    [
        ((3, 6, 23), False),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_knows_which_sqlite_loses_commits(version: tuple[int, int, int], loses: bool) -> None:
    assert loses_commits(version) is loses
