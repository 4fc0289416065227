"""410 Gone: the endpoint is sent nothing more, nothing is lost, and nobody else notices."""

from __future__ import annotations

from pathlib import Path

import structlog

from service.delivery.courier import Courier
from service.delivery.fake import FakeSender
from service.delivery.webhook import WebhookSender
from service.ports import Attempt, Endpoint, Message
from service.store.store import Store
from tests.delivery.scripted import SECRET, HeldClock, ListOutbox, always, message, receiving, status

GONE = Attempt(done=False, why="HTTP 410", gone=True)


def test_what_is_behind_it_in_the_queue_is_not_sent_either() -> None:
    outbox, clock = ListOutbox(["old", "office"]), HeldClock()
    outbox.put(*(message(1, f"camera{number}") for number in range(20)))
    old, office = FakeSender(lambda _: GONE), FakeSender()
    courier = Courier(outbox, {"old": old, "office": office}, clock)
    with structlog.testing.capture_logs() as lines:
        assert courier.deliver_due() >= 21
        assert courier.deliver_due() == 0
    assert (len(old.attempts), len(office.attempts)) == (1, 20)
    assert [row.state for row in outbox.rows if row.endpoint == "old"] == ["waiting"] * 20
    (line,) = [line for line in lines if line["event"] == "endpoint is disabled"]
    assert (line["log_level"], line["endpoint"], line["why"]) == ("error", "old", "HTTP 410")
    outbox.disabled.clear()  # an operator
    courier.deliver_due()
    assert len(old.attempts) == 2
    courier.close()


def test_it_ends_when_it_is_told_to_while_an_endpoint_is_gone() -> None:
    outbox = ListOutbox(["old"])
    outbox.put(message(1, "a"), message(1, "b"))
    closing: list[Courier] = []

    def gone(_: Message) -> Attempt:
        closing[0].close()
        return GONE

    courier = Courier(outbox, {"old": FakeSender(gone)}, HeldClock())
    closing.append(courier)
    courier.deliver_due()
    assert outbox.states() == ["waiting", "waiting"]


def test_gone_is_remembered_over_restarts_until_the_address_changes(tmp_path: Path) -> None:
    clock = HeldClock()

    def once(address: str, url: str) -> int:
        with Store(tmp_path, [Endpoint("office", address)]) as store:
            store.record([], [], [message(1), message(2)])
            sender = WebhookSender(url, SECRET, clock, lan=True, deadline=5)
            courier = Courier(store, {"office": sender}, clock)
            attempts = courier.deliver_due() + courier.deliver_due()
            courier.close()
            sender.close()
            return attempts

    with receiving(always(status(410))) as left, receiving(always(status(200))) as moved:
        assert once("one", left.url) == 1
        assert once("one", left.url) == 0
        assert once("two", moved.url) == 2
        assert (len(left.requests), len(moved.requests)) == (1, 2)
