"""What every event store and outbox promises, run on the real one and on the fake that tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from service.ports import Delivery, EventStore, Outbox, Still, StoreUnavailable
from service.store.errors import StoreError
from service.store.fake import FakeStore
from service.store.store import Store
from tests.postgres import address_for
from tests.store.made import (
    JPEG,
    START_MS,
    alert,
    continued,
    detections,
    ended,
    fired,
    message,
    moment,
    still,
    telling,
)

ENDPOINTS = ("control-room", "yard-lamp")


Make = Callable[[Path], Store | FakeStore]


@pytest.fixture(params=["sqlite", "postgres", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store | FakeStore]:
    fake = request.param == "fake"
    made = FakeStore(ENDPOINTS) if fake else Store(tmp_path / "store", ENDPOINTS, address=address_for(request))
    yield made
    made.close()


def names(due: list[Delivery]) -> list[tuple[str, str]]:
    return [(delivery.message.id, delivery.endpoint) for delivery in due]


def finish(store: Store | FakeStore) -> list[str]:
    """Deliver everything to the first endpoint; return the message ids in the order in which they left."""
    left = []
    while due := [delivery for delivery in store.due(START_MS) if delivery.endpoint == ENDPOINTS[0]]:
        for delivery in due:
            left.append(delivery.message.id)
            store.delivered(delivery, START_MS)
    return left


def test_implements_both_ports(store: Store | FakeStore) -> None:
    events: EventStore = store
    outbox: Outbox = store
    assert events.open_alerts("gate") == []
    assert outbox.due(START_MS) == []


def test_an_alert_comes_back_as_it_was(store: Store | FakeStore) -> None:
    store.record([fired(alert(1)), fired(alert(2)), fired(alert(3, "dock"))], [], [])
    assert store.open_alerts("gate") == [alert(1), alert(2)]
    assert store.open_alerts("dock") == [alert(3, "dock")]
    assert store.open_alerts("nowhere") == []


def test_an_ended_alert_is_not_open_and_a_continued_one_is(store: Store | FakeStore) -> None:
    store.record([fired(alert(1)), fired(alert(2))], [], [])
    store.record([ended(alert(1)), ended(alert(2), kind="lost_sight")], [], [])
    assert store.open_alerts("gate") == []
    store.record([continued(alert(2))], [], [])
    assert store.open_alerts("gate") == [continued(alert(2)).alert]


def test_who_was_lost_sight_of_a_moment_ago_comes_back_when_asked_for(store: Store | FakeStore) -> None:
    store.record([fired(alert(number)) for number in range(1, 6)] + [fired(alert(6, "dock"))], [], [])
    gone = [
        ended(alert(1), 10, "lost_sight"),
        ended(alert(2), 20, "lost_sight"),
        ended(alert(3), 40),
        ended(alert(6, "dock"), 40, "lost_sight"),
    ]
    store.record([*gone, ended(alert(4), 10, "lost_sight")], [], [])
    store.record([continued(alert(4), 15)], [], [])
    open_now = [continued(alert(4), 15).alert, alert(5)]
    assert store.open_alerts("gate") == open_now
    seen_ms = gone[1].alert.seen.wall_ms
    assert store.open_alerts("gate", lost_since_ms=seen_ms) == [gone[1].alert, *open_now]
    assert store.open_alerts("gate", lost_since_ms=seen_ms + 1) == open_now


def test_the_cameras_with_open_alerts_are_named(store: Store | FakeStore) -> None:
    assert store.cameras_with_open_alerts() == []
    store.record([fired(alert(1)), fired(alert(2)), fired(alert(3, "dock")), fired(alert(4, "roof"))], [], [])
    store.record([ended(alert(4, "roof"))], [], [])
    assert store.cameras_with_open_alerts() == ["dock", "gate"]


def test_what_was_told_of_a_camera_is_known_until_it_is_over(store: Store | FakeStore) -> None:
    assert store.conditions("gate") == frozenset()
    lost, back = telling("a", "offline"), telling("b", "offline", holds=False)
    store.record([], [], [lost, telling("c", "offline", "dock"), telling("d", "blind")])
    assert store.conditions("gate") == {"offline", "blind"}
    store.record([], [], [back])
    store.record([], [], [lost])  # comes again late
    assert store.conditions("gate") == {"blind"}
    assert store.conditions("dock") == {"offline"}
    store.record([], [], [telling("e", "blind", holds=False), telling("f", "offline", holds=False)])
    assert store.conditions("gate") == frozenset()


@pytest.mark.parametrize("make", [lambda folder: Store(folder, []), lambda _: FakeStore()], ids=["real", "fake"])
def test_without_an_endpoint_nobody_was_told(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    store.record([], [], [telling("a", "offline")])
    assert store.conditions("gate") == frozenset()
    store.close()


def test_a_change_that_comes_again_late_does_not_turn_back_time(store: Store | FakeStore) -> None:
    store.record([fired(alert(1))], [], [message("a")])
    store.record([ended(alert(1))], [], [message("b")])
    store.record([fired(alert(1))], [], [message("a")])
    assert store.open_alerts("gate") == []
    assert finish(store) == ["a", "b"]


def test_touch_moves_open_alerts_only(store: Store | FakeStore) -> None:
    store.record([fired(alert(1)), fired(alert(2)), ended(alert(2))], [], [])
    seen = [replace(alert(number), seen=moment(9), box=(5.0, 6.0, 7.0, 8.0)) for number in (1, 2, 3)]
    store.touch(seen)
    store.touch([])
    assert store.open_alerts("gate") == [seen[0]]


def test_messages_wait_for_every_endpoint_oldest_first(store: Store | FakeStore) -> None:
    store.record([], [], [message("a"), message("b"), message("c", "dock")])
    heads = [("a", "control-room"), ("a", "yard-lamp"), ("c", "control-room"), ("c", "yard-lamp")]
    assert names(store.due(START_MS)) == heads
    assert names(store.due(START_MS, most=3)) == heads[:3]
    first = store.due(START_MS)[0]
    assert first == Delivery(message("a"), "control-room", 0)
    store.delivered(first, START_MS)
    assert names(store.due(START_MS)) == [
        ("a", "yard-lamp"),
        ("b", "control-room"),
        ("c", "control-room"),
        ("c", "yard-lamp"),
    ]


def test_a_failed_delivery_holds_back_what_is_behind_it_until_its_time(store: Store | FakeStore) -> None:
    store.record([], [], [message("a"), message("b"), message("c", "dock")])
    first = store.due(START_MS)[0]
    store.failed(first, START_MS, "connection refused", START_MS + 5000)
    assert ("b", "control-room") not in names(store.due(START_MS + 4999))
    assert ("c", "control-room") in names(store.due(START_MS + 4999))
    again = store.due(START_MS + 5000)[0]
    assert again == Delivery(message("a"), "control-room", 1)


def test_a_delivery_that_was_tried_in_the_future_is_due(store: Store | FakeStore) -> None:
    """The wall clock was set back by a day: when to try again was said by the other time."""
    day = 86_400_000
    store.record([], [], [message("a"), message("b")])
    store.failed(store.due(START_MS)[0], START_MS, "connection refused", START_MS + 60_000)
    assert names(store.due(START_MS)) == [("a", "yard-lamp")]
    assert names(store.due(START_MS - day)) == [("a", "control-room"), ("a", "yard-lamp")]
    again = store.due(START_MS - day)[0]
    assert again.attempts == 1
    store.failed(again, START_MS - day, "connection refused", START_MS - day + 60_000)
    assert names(store.due(START_MS - day + 59_999)) == [("a", "yard-lamp")]
    assert names(store.due(START_MS - day + 60_000)) == [("a", "control-room"), ("a", "yard-lamp")]


def test_a_dead_delivery_lets_the_next_one_pass(store: Store | FakeStore) -> None:
    store.record([], [], [message("a"), message("b")])
    store.failed(store.due(START_MS)[0], START_MS, "410 gone", None)
    assert names(store.due(START_MS)) == [("a", "yard-lamp"), ("b", "control-room")]


def test_what_is_finished_stays_finished(store: Store | FakeStore) -> None:
    store.record([], [], [message("a")])
    delivery = store.due(START_MS)[0]
    store.delivered(delivery, START_MS)
    store.failed(delivery, START_MS, "a late answer", START_MS)
    store.delivered(delivery, START_MS)
    assert names(store.due(START_MS)) == [("a", "yard-lamp")]


def test_a_still_needs_an_alert(store: Store | FakeStore) -> None:
    with pytest.raises(ValueError, match="not kept"):
        store.record([], [still(alert(1))], [message("a")])
    assert store.due(START_MS) == []
    store.record([fired(alert(1))], [still(alert(1))], [])
    store.record([], [still(alert(1), b"a better one")], [])


@pytest.mark.parametrize("strange", ["", "..", "a/b", "/etc", "a" * 65, "x\n", "ü"])
def test_an_id_that_could_name_another_folder_is_refused(store: Store | FakeStore, strange: str) -> None:
    with pytest.raises(ValueError, match="no alert id"):
        store.record([fired(replace(alert(1), id=strange))], [Still(strange, "clean", JPEG)], [])
    assert store.open_alerts("gate") == []


def test_an_amount_that_is_none_is_refused(store: Store | FakeStore) -> None:
    with pytest.raises(ValueError, match="numbers from 0 on"):
        store.count("gate", moment(1), {("yard", "helmet", "worn"): -0.2}, [])


def test_many_threads_record_and_nothing_is_lost(store: Store | FakeStore) -> None:
    def work(worker: int) -> None:
        for index in range(10):
            number = worker * 100 + index
            one = alert(number, f"cam{worker}")
            store.record([fired(one)], [still(one)], [message(f"m{number}", f"cam{worker}")])
            store.record([fired(one)], [], [message(f"m{number}", f"cam{worker}")])
            store.touch([one])
            store.remember(one.camera, one.seen, detections())
            store.count(one.camera, one.seen, {("yard", "helmet", "worn"): 0.2}, [120.0])
            store.due(START_MS)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(1, 5)))
    for worker in range(1, 5):
        assert len(store.open_alerts(f"cam{worker}")) == 10
    left = finish(store)
    for worker in range(1, 5):
        of_it = [name for name in left if int(name[1:]) // 100 == worker]
        assert of_it == [f"m{worker * 100 + index}" for index in range(10)]


def test_close_refuses_what_comes(store: Store | FakeStore) -> None:
    store.record([fired(alert(1))], [], [])
    store.close()
    store.close()
    calls: list[Callable[[], object]] = [
        lambda: store.record([fired(alert(2))], [], []),
        lambda: store.open_alerts("gate"),
        store.cameras_with_open_alerts,
        lambda: store.conditions("gate"),
        lambda: store.touch([alert(1)]),
        lambda: store.count("gate", moment(1), {}, []),
        lambda: store.remember("gate", moment(1), detections()),
        lambda: store.due(START_MS),
    ]
    for call in calls:
        with pytest.raises(StoreError) as refused:
            call()
        assert refused.value.code == "STORE_CLOSED"
        assert isinstance(refused.value, StoreUnavailable)
