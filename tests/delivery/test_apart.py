"""An endpoint that hangs delays no other, on the real store, sender and wire."""

from __future__ import annotations

import time
from pathlib import Path

from service.delivery.courier import Courier
from service.delivery.webhook import WebhookSender
from service.store.store import Store
from tests.delivery.scripted import SECRET, RealClock, Request, always, message, receiving, status
from tests.delivery.test_courier import running, wait_for

MESSAGES = 40


def test_fast_endpoints_get_theirs_in_time_while_one_hangs(tmp_path: Path) -> None:
    """The hanging one takes requests and never answers: its attempts last their whole deadline."""
    arrived: dict[str, dict[str, float]] = {"left": {}, "right": {}}
    committed: dict[str, float] = {}
    clock = RealClock()
    with receiving(always()) as hangs, receiving(always()) as left, receiving(always()) as right:

        def note(name: str, request: Request) -> list[bytes]:
            arrived[name][request.headers["webhook-id"]] = time.monotonic()
            return [status(200)]

        left.answer = lambda request: note("left", request)
        right.answer = lambda request: note("right", request)
        hangs.answer = lambda _: iter(lambda: (hangs.stopped.wait(60) and b"") or b"", None)
        receivers = {"hangs": hangs, "left": left, "right": right}
        senders = {
            name: WebhookSender(receiver.url, SECRET, clock, lan=True, deadline=3.0)
            for name, receiver in receivers.items()
        }
        with Store(tmp_path, tuple(senders)) as store:
            courier = Courier(store, senders, clock, grace=0.1)
            with running(courier):
                for number in range(MESSAGES):
                    one = message(number, f"camera{number % 7}")
                    store.record([], [], [one])
                    committed[one.id] = time.monotonic()
                    courier.wake()
                    # one after the other: how long a burst takes is a matter of the machine
                    wait_for(lambda number=number: all(len(got) > number for got in arrived.values()))  # type: ignore[misc]
            assert store.backlog()["hangs"].pending == MESSAGES
            assert [store.backlog()[name].pending for name in ("left", "right")] == [0, 0]
        hangs.stopped.set()
    assert len(hangs.requests) >= 1
    for got in arrived.values():
        delays = sorted(got[name] - committed[name] for name in committed)
        assert delays[int(0.95 * MESSAGES)] < 2.0
