from __future__ import annotations

from structlog.testing import capture_logs

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


def test_the_courier_is_woken_for_what_was_committed_only() -> None:
    store = Noting(broken=range(1))
    woken: list[int] = []
    waiting = Records(store, "gate", lambda: woken.append(len(store.messages)))
    waiting.keep(messages=[message("one")])
    assert woken == []
    waiting.keep(messages=[message("two")])
    assert woken == [1, 2]
