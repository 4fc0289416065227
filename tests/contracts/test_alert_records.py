"""What everything promises that alerts are asked of, run on the real store and on the fake that tests use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service.inquiry import AlertRecords, Change, Grouping, Mark, Share, Span, Wanted
from service.ports import StoreUnavailable
from service.safety.alerts import Alert
from service.safety.moment import Moment
from service.store.fake import FakeStore
from service.store.store import Store
from tests.postgres import address_for
from tests.store.made import JPEG, START_MS, alert, continued, ended, fired, moment, still

HOUR_MS = 3_600_000
NOON_MS = 1_749_988_800_000
SAID = Mark("acknowledged", START_MS + 100, "Kim", "Sent back.")


def opened(request: pytest.FixtureRequest, folder: Path) -> Store | FakeStore:
    return FakeStore([]) if request.param == "fake" else Store(folder, [], address=address_for(request))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.thorough), "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store | FakeStore]:
    made = opened(request, tmp_path / "store")
    yield made
    made.close()


def ids(records: AlertRecords, most: int = 100, **wanted: Any) -> list[str]:
    return [one.alert.id for one in records.find(Wanted(**wanted), most)]


def test_implements_the_port(store: Store | FakeStore) -> None:
    records: AlertRecords = store
    assert records.find(Wanted(), 10) == []
    assert records.alert("none") is None
    assert records.picture("none", "crop") is None
    assert records.why_gone("none", "crop") is None
    assert records.mark("none", SAID) is None
    assert records.compliance(Span(0, START_MS), ["camera"]) == []


def test_an_alert_is_listed_with_what_was_said_and_its_stills(store: Store | FakeStore) -> None:
    store.record([fired(alert(1)), fired(alert(2))], [still(alert(1))], [])
    store.mark(alert(1).id, SAID)
    again = replace(SAID, at_ms=START_MS + 200, by="Lee")
    store.mark(alert(1).id, again)
    newer, older = store.find(Wanted(), 10)
    assert (newer.alert, newer.marks, newer.evidence) == (alert(2), (), ())
    assert (older.alert, older.marks, older.evidence) == (alert(1), (again,), ("clean",))
    assert store.picture(alert(1).id, "clean") == JPEG
    assert store.picture(alert(1).id, "crop") is None


def test_what_was_said_is_in_the_history_and_survives_what_happens(store: Store | FakeStore) -> None:
    store.record([fired(alert(1))], [], [])
    snoozed = Mark("snoozed", START_MS + 300, "", "", START_MS + 900)
    wrong = Mark("false_alarm", START_MS + 400, "Kim", "A statue.")
    for mark in (SAID, snoozed, wrong):
        store.mark(alert(1).id, mark)
    store.record([ended(alert(1), 10, "lost_sight"), continued(alert(1), 20)], [], [])
    history = store.alert(alert(1).id)
    assert history
    assert history.marks == (SAID, snoozed, wrong)
    assert history.changes == (
        Change("fired", moment(1)),
        Change("lost_sight", moment(11)),
        Change("updated", moment(21)),
    )
    assert ids(store, acknowledged=True) == [alert(1).id]
    assert store.open_alerts("gate") == [continued(alert(1), 20).alert]


@pytest.mark.parametrize("kind", ["acknowledged", "snoozed", "false_alarm"])
def test_saying_the_same_again_is_kept_once(store: Store | FakeStore, kind: Any) -> None:
    store.record([fired(alert(1)), fired(alert(2))], [], [])
    first = Mark(kind, 1, "Kim", "a", 9)
    other = replace(first, at_ms=3, note="b")
    for mark in (first, replace(first, at_ms=2), other, replace(first, at_ms=4)):
        told = store.mark(alert(1).id, mark)
    assert told
    assert told.marks == (first, other, replace(first, at_ms=4))
    assert told == store.alert(alert(1).id)
    untouched = store.alert(alert(2).id)
    assert untouched
    assert untouched.marks == ()


def test_a_mark_of_another_kind_does_not_acknowledge(store: Store | FakeStore) -> None:
    store.record([fired(alert(1))], [], [])
    store.mark(alert(1).id, Mark("false_alarm", 1, "Kim", "A statue."))
    assert ids(store, acknowledged=False) == [alert(1).id]


MADE = st.builds(
    lambda second, camera, zone, equipment, severity, over, seen: (
        replace(alert(second), camera=camera, zone=zone, equipment=equipment, severity=severity),
        over,
        seen,
    ),
    st.integers(1, 4),
    st.sampled_from(["gate", "dock"]),
    st.sampled_from(["yard", "roof"]),
    st.sampled_from(["helmet", "vest"]),
    st.sampled_from(["low", "high"]),
    st.booleans(),
    st.booleans(),
)
WANTED = st.builds(
    Wanted,
    camera=st.sampled_from([None, None, "gate", "dock"]),
    zone=st.sampled_from([None, None, "yard", "roof"]),
    equipment=st.sampled_from([None, None, "helmet", "vest"]),
    severity=st.sampled_from([None, None, "low", "high"]),
    open=st.sampled_from([None, None, True, False]),
    acknowledged=st.sampled_from([None, None, True, False]),
    since_ms=st.sampled_from([None, None, moment(2).wall_ms, moment(3).wall_ms]),
    until_ms=st.sampled_from([None, None, moment(2).wall_ms, moment(4).wall_ms]),
)


def fits(wanted: Wanted, one: Alert, over: bool, seen: bool) -> bool:
    said = (wanted.camera, wanted.zone, wanted.equipment, wanted.severity, wanted.open, wanted.acknowledged)
    found = (one.camera, one.zone, one.equipment, one.severity, not over, seen)
    after = wanted.since_ms is None or one.fired.wall_ms >= wanted.since_ms
    before = wanted.until_ms is None or one.fired.wall_ms < wanted.until_ms
    return after and before and all(value in (None, is_) for value, is_ in zip(said, found, strict=True))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.thorough), "fake"])
def filling(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Store | FakeStore]]:
    """Gives an empty store each time that it is called, and closes the one before."""
    made: list[Store | FakeStore] = []

    def begin() -> Store | FakeStore:
        while made:
            made.pop().close()
        made.append(opened(request, tmp_path_factory.mktemp("store")))
        return made[0]

    yield begin
    while made:
        made.pop().close()


@pytest.mark.thorough
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    there=st.lists(MADE, max_size=16),
    arriving=st.lists(MADE, max_size=6),
    wanted=WANTED,
    most=st.integers(1, 6),
)
def test_pages_miss_and_double_nothing(
    filling: Callable[[], Store | FakeStore],
    there: list[tuple[Alert, bool, bool]],
    arriving: list[tuple[Alert, bool, bool]],
    wanted: Wanted,
    most: int,
) -> None:
    store = filling()
    numbers = itertools.count()

    def keep(one: Alert, over: bool, seen: bool, prefix: str) -> Alert:
        named = replace(one, id=f"{prefix}{next(numbers):02}")
        store.record([fired(named), *([ended(named)] if over else [])], [], [])
        if seen:
            store.mark(named.id, SAID)
        return named

    kept = [(keep(*one, "a"), one) for one in there]
    expected = [named for named, (_, over, seen) in kept if fits(wanted, named, over, seen)]
    seen: list[str] = []
    place = None
    newcomers = iter(arriving)
    while page := store.find(wanted, most, place):
        assert len(page) <= most
        seen += [one.alert.id for one in page]
        place = page[-1].place
        for newcomer in itertools.islice(newcomers, 1):
            keep(*newcomer, "z")
    assert len(seen) == len(set(seen))
    in_order = sorted(expected, key=lambda one: (one.fired.wall_ms, one.id), reverse=True)
    assert [one for one in seen if one.startswith("a")] == [one.id for one in in_order]


def test_a_place_before_until_and_one_behind_it(store: Store | FakeStore) -> None:
    store.record([fired(alert(number)) for number in range(1, 6)], [], [])
    wanted = Wanted(until_ms=moment(4).wall_ms)
    early, late = (moment(2).wall_ms, alert(2).id), (moment(5).wall_ms, alert(5).id)
    assert [one.alert for one in store.find(wanted, 10, early)] == [alert(1)]
    assert [one.alert for one in store.find(wanted, 10, late)] == [alert(3), alert(2), alert(1)]


def count(store: Store | FakeStore, camera: str, hour: int, **seconds: float) -> None:
    at = Moment(0.0, NOON_MS + hour * HOUR_MS + 5)
    store.count(camera, at, {("yard", "helmet", state): value for state, value in seconds.items()}, [])  # type: ignore[misc]


GROUPS: list[tuple[list[Grouping], list[Share]]] = [
    (
        ["camera", "equipment", "hour"],
        [
            Share("dock", None, "helmet", NOON_MS + HOUR_MS, unknown=4.0),
            Share("gate", None, "helmet", NOON_MS, worn=3.0, missing=1.0),
            Share("gate", None, "helmet", NOON_MS + HOUR_MS, worn=2.5),
            Share("gate", None, "vest", NOON_MS, worn=8.0),
        ],
    ),
    (
        ["hour"],
        [Share(None, None, None, NOON_MS, 11.0, 1.0), Share(None, None, None, NOON_MS + HOUR_MS, 2.5, 0.0, 4.0)],
    ),
    (["equipment"], [Share(None, None, "helmet", None, 5.5, 1.0, 4.0), Share(None, None, "vest", None, 8.0)]),
    (["zone"], [Share(None, "dock", None, None, 8.0), Share(None, "yard", None, None, 5.5, 1.0, 4.0)]),
    ([], [Share(None, None, None, None, 13.5, 1.0, 4.0)]),
]


@pytest.mark.parametrize(("by", "groups"), GROUPS, ids=lambda value: "-".join(map(str, value))[:20])
def test_compliance_in_groups(store: Store | FakeStore, by: list[Grouping], groups: list[Share]) -> None:
    count(store, "gate", 0, worn=2.0, missing=1.0)
    count(store, "gate", 0, worn=1.0)
    count(store, "gate", 1, worn=2.5)
    count(store, "dock", 1, unknown=4.0)
    count(store, "gate", 2, worn=100.0)
    store.count("gate", Moment(0.0, NOON_MS), {("dock", "vest", "worn"): 8.0}, [])
    assert store.compliance(Span(NOON_MS, NOON_MS + 2 * HOUR_MS), by) == groups


def test_compliance_of_one_camera_and_equipment(store: Store | FakeStore) -> None:
    count(store, "gate", 0, worn=2.0)
    count(store, "dock", 0, worn=3.0)
    store.count("gate", Moment(0.0, NOON_MS), {("yard", "vest", "worn"): 8.0}, [])
    span = Span(NOON_MS, NOON_MS + HOUR_MS, "gate", equipment="vest")
    assert store.compliance(span, ["camera"]) == [Share("gate", None, None, None, 8.0)]


def test_compliance_in_zones_and_before_they_were_told_apart(store: Store | FakeStore) -> None:
    for camera, zone, seconds in (
        ("gate", "yard", 2.0),
        ("gate", "", 1.0),
        ("gate", "dock", 4.0),
        ("hall", "yard", 8.0),
    ):
        store.count(camera, Moment(0.0, NOON_MS), {(zone, "helmet", "worn"): seconds}, [])
    told = store.compliance(Span(NOON_MS, NOON_MS + HOUR_MS, "gate"), ["zone", "equipment"])
    assert [(one.zone, one.worn) for one in told] == [("", 1.0), ("dock", 4.0), ("yard", 2.0)]
    of_yards = store.compliance(Span(NOON_MS, NOON_MS + HOUR_MS, zone="yard"), ["camera", "zone"])
    assert of_yards == [Share("gate", "yard", None, None, 2.0), Share("hall", "yard", None, None, 8.0)]


def test_close_refuses_what_comes(store: Store | FakeStore) -> None:
    store.record([fired(alert(1))], [], [])
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.find(Wanted(), 1),
        lambda: store.alert(alert(1).id),
        lambda: store.picture(alert(1).id, "crop"),
        lambda: store.mark(alert(1).id, SAID),
        lambda: store.compliance(Span(0, 1), []),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable):
            call()
