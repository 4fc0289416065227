from __future__ import annotations

from dataclasses import replace

from structlog.testing import capture_logs

from service.ports import Message, Still
from service.safety.alerts import AlertChange
from service.worker import records
from service.worker.records import Records
from tests.store.made import alert, fired, message, still
from tests.worker.stores import Noting


def test_one_line_tells_of_an_outage_and_one_of_its_end() -> None:
    store = Noting(broken=range(5))
    waiting = Records(store, "gate", lambda: None)
    with capture_logs() as lines:
        waiting.keep([fired(alert(1))], [still(alert(1))], [message("one")])
        for _ in range(6):
            waiting.save()
    assert [line["event"] for line in lines] == ["store.unavailable", "store.works_again"]
    assert store.told() == ["alert.fired"]


def test_what_waits_is_bounded_and_what_is_given_up_is_named() -> None:
    store = Noting(broken=range(10_000))
    waiting = Records(store, "gate", lambda: None)
    with capture_logs() as lines:
        for number in range(records.MOST + 2):
            waiting.keep(messages=[message(f"m{number}")])
    assert [line["messages"] for line in lines if line["event"] == "record.lost"] == [["m0"], ["m1"]]
    store.broken = range(0)
    waiting.save()
    assert [one.id for one in store.messages] == [f"m{number}" for number in range(2, records.MOST + 2)]


def big(number: int, size: int) -> tuple[list[AlertChange], list[Still], list[Message]]:
    return [fired(alert(number))], [still(alert(number), bytes(size))], [message(f"m{number}")]


def test_pictures_that_are_too_much_are_given_up_before_any_alert_and_named() -> None:
    store = Noting(broken=range(10_000))
    waiting = Records(store, "gate", lambda: None)
    with capture_logs() as lines:
        for number in range(1, 7):
            waiting.keep(*big(number, records.MOST_BYTES // 4))
    given_up = [(line["event"], line["alerts"]) for line in lines if line["event"].endswith(".lost")]
    assert given_up == [("stills.lost", [f"{alert(number).id} fired"]) for number in (1, 2, 3)]
    store.broken = range(0)
    waiting.save()
    assert [change.alert.id for change in store.changes] == [alert(number).id for number in range(1, 7)]
    assert {name for name, _ in store.stills} == {alert(number).id for number in (4, 5, 6)}


def test_records_are_given_up_only_when_no_picture_is_left_to_give_up() -> None:
    store = Noting(broken=range(10_000))
    waiting = Records(store, "gate", lambda: None)
    long = replace(message("long"), payload="x" * (records.MOST_BYTES - 1000))
    with capture_logs() as lines:
        waiting.keep([fired(alert(1))], [still(alert(1), bytes(2000))], [long])
        waiting.keep(*big(2, 2000))
        waiting.keep(messages=[replace(message("more"), payload="x" * 2000)])
    assert [(line["event"], line["alerts"]) for line in lines if line["event"].endswith(".lost")] == [
        ("stills.lost", [f"{alert(1).id} fired"]),
        ("stills.lost", [f"{alert(2).id} fired"]),
        ("record.lost", [f"{alert(1).id} fired"]),
    ]
    store.broken = range(0)
    waiting.save()
    assert [one.id for one in store.messages] == ["m2", "more"]


def test_what_the_store_does_not_take_at_the_end_is_named() -> None:
    store = Noting(broken=range(10_000))
    waiting = Records(store, "gate", lambda: None)
    with capture_logs() as lines:
        waiting.keep(*big(1, 10))
        waiting.keep(messages=[message("m2")])
        waiting.close()
    lost = [line for line in lines if line["event"] == "record.lost"]
    assert [(line["alerts"], line["messages"]) for line in lost] == [([f"{alert(1).id} fired"], ["m1"]), ([], ["m2"])]


def test_the_courier_is_woken_for_what_was_committed_only() -> None:
    store = Noting(broken=range(1))
    woken: list[int] = []
    waiting = Records(store, "gate", lambda: woken.append(len(store.messages)))
    waiting.keep(messages=[message("one")])
    assert woken == []
    waiting.keep(messages=[message("two")])
    assert woken == [1, 2]
