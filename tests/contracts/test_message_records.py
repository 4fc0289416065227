"""What became of messages, as every store answers for it: the real one, and the fake that tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.inquiry import EndpointReport, MessageRecords, Posted, Sent
from service.news import NewsRecords
from service.ports import Endpoint, Message
from service.store.fake import FakeStore
from service.store.retention import forget_messages
from service.store.store import Store
from tests.postgres import address_for
from tests.store.made import START_MS, message, telling

ENDPOINTS = ("office", "lamp")
Records = Store | FakeStore


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.thorough), "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    fake = request.param == "fake"
    made = FakeStore(ENDPOINTS) if fake else Store(tmp_path / "store", ENDPOINTS, address=address_for(request))
    yield made
    made.close()


def put(store: Records, *names: str, camera: str = "gate") -> None:
    store.record([], [], [message(name, camera) for name in names])


def bury(store: Records, endpoint: str = "office", why: str = "HTTP 500") -> None:
    """Give up all that waits for an endpoint."""
    while due := [one for one in store.due(START_MS) if one.endpoint == endpoint]:
        for delivery in due:
            store.failed(delivery, START_MS + 5, why, None)


def due(store: Records, endpoint: str = "office") -> list[str]:
    return [one.message.id for one in store.due(START_MS) if one.endpoint == endpoint]


def ids(found: list[Sent]) -> list[tuple[str, str]]:
    return [(one.id, one.endpoint) for one in found]


def test_implements_the_port(store: Records) -> None:
    records: MessageRecords = store
    assert records.find_messages(Posted(), 10) == []
    assert records.replay("nothing") is None
    assert not records.enable("office")


def test_messages_are_listed_newest_first_one_for_each_endpoint(store: Records) -> None:
    put(store, "a", "b")
    first = next(one for one in store.due(START_MS) if one.endpoint == "office")
    store.failed(first, START_MS + 1, "HTTP 500", START_MS + 5000)
    found = store.find_messages(Posted(), 10)
    assert ids(found) == [("b", "office"), ("b", "lamp"), ("a", "office"), ("a", "lamp")]
    assert found[2] == Sent(
        1, "a", "alert.fired", "gate", START_MS, "office", "pending", 1, START_MS + 1, START_MS + 5000, "HTTP 500"
    )
    assert found[3] == Sent(1, "a", "alert.fired", "gate", START_MS, "lamp", "pending", 0, None, None, "")


def test_messages_are_found_by_what_is_asked(store: Records) -> None:
    put(store, "a", "b")
    put(store, "c", camera="dock")
    store.record([], [], [replace(telling("d", "offline"), type="camera.offline", created_ms=START_MS + 9)])
    bury(store)
    store.delivered(next(one for one in store.due(START_MS) if one.endpoint == "lamp"), START_MS)

    def asked(**wanted: object) -> list[tuple[str, str]]:
        return ids(store.find_messages(Posted(**wanted), 20))  # type: ignore[arg-type]

    assert asked(state="dead") == [(name, "office") for name in "dcba"]
    assert asked(state="delivered") == [("a", "lamp")]
    assert asked(state="pending") == [(name, "lamp") for name in "dcb"]
    assert asked(endpoint="office", camera="dock") == [("c", "office")]
    assert asked(type="camera.offline") == [("d", "office"), ("d", "lamp")]
    assert asked(since_ms=START_MS + 9) == [("d", "office"), ("d", "lamp")]
    assert asked(until_ms=START_MS + 9, endpoint="lamp") == [(name, "lamp") for name in "cba"]
    assert asked(endpoint="nowhere") == []


def test_a_dead_message_is_sent_once_more_under_its_id(store: Records) -> None:
    put(store, "a")
    bury(store)
    (office,) = [one for one in store.replay("a") or [] if one.endpoint == "office"]
    assert (office.state, office.attempts, office.error, office.tried_ms) == ("pending", 0, "", None)
    (again,) = [one for one in store.due(START_MS) if one.endpoint == "office"]
    assert (again.message, again.attempts) == (message("a"), 0)
    store.delivered(again, START_MS)
    assert [one.state for one in store.find_messages(Posted(endpoint="office"), 9)] == ["delivered"]


def test_what_was_delivered_is_sent_again_only_where_that_is_asked(store: Records) -> None:
    put(store, "a")
    for delivery in store.due(START_MS):
        store.delivered(delivery, START_MS)
    assert [one.state for one in store.replay("a") or []] == ["delivered", "delivered"]
    assert [one.state for one in store.replay("a", "lamp") or []] == ["pending"]
    assert (due(store, "lamp"), due(store, "office")) == (["a"], [])
    assert store.replay("a", "nowhere") is None


def test_what_is_on_its_way_stays_as_it_is(store: Records) -> None:
    put(store, "a")
    first = store.due(START_MS)[0]
    store.failed(first, START_MS, "HTTP 500", START_MS + 5000)
    assert [one.attempts for one in store.replay("a", first.endpoint) or []] == [1]


def test_a_replay_holds_up_no_new_message_and_replays_stay_in_order(store: Records) -> None:
    put(store, "a", "b")
    bury(store)
    put(store, "c", "d")
    assert store.replay("b") and store.replay("a")
    assert due(store) == ["a", "c"]
    for delivery in store.due(START_MS):
        if delivery.message.id == "a" and delivery.endpoint == "office":
            store.failed(delivery, START_MS, "HTTP 500", START_MS + 5000)
        elif delivery.endpoint == "office":
            store.delivered(delivery, START_MS)
    assert due(store) == ["d"]


def test_an_endpoint_that_is_gone_is_sent_nothing_until_it_is_enabled(store: Records) -> None:
    put(store, "a", "b")
    put(store, "c", camera="dock")
    first = next(one for one in store.due(START_MS) if one.endpoint == "office")
    store.disable(first, START_MS + 7, "HTTP 410")
    store.disable(first, START_MS + 8, "HTTP 410")
    assert (due(store), due(store, "lamp")) == ([], ["a", "c"])
    put(store, "d", camera="roof")
    assert due(store) == []
    assert store.endpoint_reports() == [
        EndpointReport("office", 4, START_MS, 0, START_MS + 7, "HTTP 410"),
        EndpointReport("lamp", 4, START_MS, 0, None, ""),
    ]
    assert store.enable("office")
    assert not store.enable("office")
    assert due(store) == ["a", "c", "d"]
    assert store.endpoint_reports()[0].disabled_ms is None


def only_gate(one: Message) -> bool:
    return one.camera == "gate"


@pytest.mark.parametrize("make", [Store, lambda _, told: FakeStore(told)], ids=["real", "fake"])
def test_an_endpoint_is_sent_what_it_wants(make: Callable[..., Records], tmp_path: Path) -> None:
    store = make(tmp_path, [Endpoint("picky", wants=only_gate), "all"])
    put(store, "a")
    put(store, "b", camera="dock")
    assert (due(store, "picky"), due(store, "all")) == (["a"], ["a", "b"])
    store.close()


@pytest.mark.parametrize("make", [Store, lambda _, told: FakeStore(told)], ids=["real", "fake"])
def test_what_nobody_wanted_to_hear_was_told_to_nobody_and_its_end_is_kept(
    make: Callable[..., Records], tmp_path: Path
) -> None:
    hears = [True]
    store = make(tmp_path, [Endpoint("picky", wants=lambda _: hears[0])])
    store.record([], [], [telling("a", "offline")])
    hears[0] = False
    store.record([], [], [telling("b", "blind")])
    assert store.conditions("gate") == {"offline"}
    store.record([], [], [telling("c", "offline", holds=False)])
    assert store.conditions("gate") == frozenset()
    store.close()


def test_an_endpoint_stays_disabled_over_restarts_until_it_has_a_new_address(tmp_path: Path) -> None:
    def opened(address: str) -> Store:
        return Store(tmp_path, [Endpoint("office", address)])

    with opened("one") as store:
        put(store, "a")
        store.disable(store.due(START_MS)[0], START_MS, "HTTP 410")
    with opened("one") as store:
        assert store.endpoint_reports()[0].why == "HTTP 410"
        assert due(store) == []
    with Store(tmp_path, ["office"]) as store:  # who does not know the address changes nothing
        assert due(store) == []
    with opened("two") as store:
        assert store.due(START_MS)[0].attempts == 1
        assert store.endpoint_reports()[0].disabled_ms is None


def test_what_waits_for_an_endpoint_that_is_gone_is_forgotten_with_its_time(tmp_path: Path) -> None:
    """Nobody need ever enable it; who is slow, or was renamed, keeps what waits."""
    with Store(tmp_path, ENDPOINTS) as store:
        put(store, "a")
        for delivery in store.due(START_MS):
            store.disable(delivery, START_MS, "HTTP 410")
        store.enable("lamp")

        def forget() -> int:
            with store._database.transaction() as connection:
                return forget_messages(connection, START_MS + 1)

        assert forget() == 0
        store.delivered(store.due(START_MS)[0], START_MS)
        assert forget() == 1
        assert store.find_messages(Posted(), 9) == []


def test_replaying_by_time_takes_what_is_dead_since_then(tmp_path: Path) -> None:
    with Store(tmp_path, ENDPOINTS) as store:
        for number, name in enumerate("abc"):
            store.record([], [], [replace(message(name), created_ms=START_MS + number)])
        bury(store)
        bury(store, "lamp")
        assert store.replay_dead("office", START_MS + 1) == 2
        assert store.replay_dead("office", START_MS + 1) == 0
        assert ids(store.find_messages(Posted(state="pending"), 9)) == [("c", "office"), ("b", "office")]


def test_an_erased_message_is_not_sent_again(tmp_path: Path) -> None:
    with Store(tmp_path, ENDPOINTS) as store:
        store.record([], [], [replace(message("a"), payload="{}")])
        bury(store)
        assert [one.state for one in store.replay("a", "office") or []] == ["dead"]
        assert store.replay_dead("office", 0) == 0


@settings(max_examples=20)
@given(st.integers(0, 12), st.integers(1, 5), st.sampled_from([None, "dead", "pending"]))
def test_pages_miss_and_double_nothing(count: int, size: int, state: str | None) -> None:
    store = FakeStore(ENDPOINTS)
    put(store, *map(str, range(count // 2)))
    bury(store)
    put(store, *map(str, range(count // 2, count)))
    wanted = Posted(state=state)  # type: ignore[arg-type]
    whole = store.find_messages(wanted, 100)
    pages: list[Sent] = []
    while page := store.find_messages(wanted, size, pages[-1].place if pages else None):
        pages += page
        put(store, f"new{len(pages)}")
    assert pages == whole


def test_who_follows_hears_each_message_once_in_order(store: Records) -> None:
    records: NewsRecords = store
    assert (records.newest_told(), records.told_after(0, 9), records.number_told("a")) == (None, [], None)
    put(store, "a", "b")
    put(store, "c", camera="dock")
    told = records.told_after(0, 9)
    assert [(one.id, one.type, one.camera, one.payload) for one in told] == [
        ("a", "alert.fired", "gate", '{"name":"a"}'),
        ("b", "alert.fired", "gate", '{"name":"b"}'),
        ("c", "alert.fired", "dock", '{"name":"c"}'),
    ]
    assert records.newest_told() == told[-1]
    assert [records.number_told(one.id) for one in told] == [one.number for one in told]
    assert records.told_after(told[0].number, 1) == told[1:2]
    assert records.told_after(told[-1].number, 9) == []


def test_what_nobody_is_sent_is_told_to_who_follows(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        store.record([], [], [message("a"), replace(message("gone"), payload="{}"), message("b")])
        assert [one.id for one in store.told_after(0, 9)] == ["a", "b"]


def test_room_is_told(store: Records) -> None:
    assert store.room().free > 0
    assert store.room().evidence == 0
