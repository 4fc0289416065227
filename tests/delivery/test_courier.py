"""From the outbox to the receiver, with a clock that the test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from service.delivery.courier import Courier
from service.delivery.fake import FakeSender
from service.delivery.webhook import WebhookSender
from service.ports import Attempt, Message, Sender
from tests.delivery.scripted import (
    SECRET,
    HeldClock,
    ListOutbox,
    RealClock,
    ScriptedReceiver,
    always,
    ids,
    message,
    receiving,
    status,
)

CAMERAS = ("north", "south", "yard")


@contextmanager
def running(courier: Courier) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=courier.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        courier.wake()
        thread.join(20)
        assert not thread.is_alive()


def wait_for(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    event = threading.Event()
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        event.wait(0.005)


def deliver_all(courier: Courier, outbox: ListOutbox, clock: HeldClock) -> None:
    """Move the clock from due time to due time until nothing waits."""
    while "waiting" in outbox.states():
        if not courier.deliver_due():
            clock.sleep(max(0, outbox.next_due() - clock.now().wall_ms) / 1000)


def test_delivers_what_is_due_in_order_and_marks_it() -> None:
    outbox, sender = ListOutbox(), FakeSender()
    outbox.put(*(message(number) for number in range(3)))
    courier = Courier(outbox, {"hook": sender}, HeldClock())
    assert [courier.deliver_due() for _ in range(4)] == [1, 1, 1, 0]
    assert [sent.id for sent in sender.attempts] == ["msg_north_0", "msg_north_1", "msg_north_2"]
    assert outbox.states() == ["delivered"] * 3
    courier.close()


def test_a_receiver_that_was_down_for_ten_minutes_gets_everything_once_in_order_and_verified() -> None:
    real_ms = RealClock().now().wall_ms
    clock = HeldClock(real_ms - 10 * 60_000)  # timestamps are of now when the receiver returns
    with receiving(always()) as gone:
        pass
    outbox = ListOutbox()
    hook = WebhookSender(gone.url, SECRET, clock, lan=True, deadline=5)
    courier = Courier(outbox, {"hook": hook}, clock)
    sent = 0
    while clock.now().wall_ms < real_ms:
        outbox.put(message(sent, CAMERAS[sent % 3], f'{{"number":{sent}}}'))
        sent += 1
        courier.deliver_due()
        clock.sleep(7)
    assert set(outbox.states()) == {"waiting"}
    assert all(why == "can't connect: connection refused" for row in outbox.rows for why in row.whys)

    with receiving(always(status(200)), gone.port) as back:
        returned_ms = clock.now().wall_ms
        deliver_all(courier, outbox, clock)
        assert clock.now().wall_ms - returned_ms <= 75_000
    assert sorted(ids(back.requests)) == sorted(row.message.id for row in outbox.rows)
    for camera in CAMERAS:
        numbers = [int(name.rpartition("_")[2]) for name in ids(back.requests) if camera in name]
        assert numbers == sorted(numbers)
    for request in back.requests:
        assert "number" in Webhook(SECRET).verify(request.body, request.headers)
    courier.close()


@settings(max_examples=40)
@given(st.lists(st.sampled_from([200, 500, 503, 429, 410, 302]), min_size=1, max_size=60), st.integers(1, 12))
def test_nothing_is_lost_or_out_of_order_whatever_the_receiver_answers(answers: list[int], count: int) -> None:
    left, taken = list(answers), list[str]()

    def answer(sent: Message) -> Attempt:
        code = left.pop(0) if left else 200
        if code == 200:
            taken.append(sent.id)
            return Attempt(done=True)
        return Attempt(done=False, why=f"HTTP {code}", retry_after=60 if code == 429 else None, give_up=code == 410)

    outbox, clock = ListOutbox(), HeldClock()
    outbox.put(*(message(number, CAMERAS[number % 2]) for number in range(count)))
    courier = Courier(outbox, {"hook": FakeSender(answer)}, clock)
    deliver_all(courier, outbox, clock)
    courier.close()
    assert sorted(taken) == sorted(row.message.id for row in outbox.rows if row.state == "delivered")
    assert sum(state == "dead" for state in outbox.states()) <= answers.count(410)
    for camera in CAMERAS:
        numbers = [int(name.rpartition("_")[2]) for name in taken if camera in name]
        assert numbers == sorted(numbers)


def test_the_schedule_is_kept_and_ends() -> None:
    outbox, clock = ListOutbox(), HeldClock()
    outbox.put(message())
    began = clock.now().wall_ms
    sender = FakeSender(lambda _: Attempt(done=False, why="HTTP 500"))
    courier = Courier(outbox, {"hook": sender}, clock)
    deliver_all(courier, outbox, clock)
    courier.close()
    assert outbox.states() == ["dead"]
    assert len(sender.attempts) == 311
    assert 60 * 3600 < (clock.now().wall_ms - began) / 1000 < 84 * 3600


def test_a_wish_to_wait_is_honoured_and_what_can_not_be_taken_is_given_up() -> None:
    outbox, clock = ListOutbox(["hook", "old"]), HeldClock()
    outbox.put(message())
    senders = {
        "hook": FakeSender(lambda _: Attempt(done=False, why="HTTP 429", retry_after=120)),
        "old": FakeSender(lambda _: Attempt(done=False, why="no valid text", give_up=True)),
    }
    courier = Courier(outbox, senders, clock)
    assert courier.deliver_due() == 2
    courier.close()
    assert outbox.states() == ["waiting", "dead"]
    assert outbox.rows[0].due_ms == clock.now().wall_ms + 120_000


def test_messages_for_an_endpoint_that_is_not_configured_wait_and_hold_up_nobody() -> None:
    outbox, clock = ListOutbox(["removed", "hook"]), HeldClock()
    outbox.put(message())
    courier = Courier(outbox, {"hook": FakeSender()}, clock)
    courier.deliver_due()
    courier.close()
    assert outbox.states() == ["waiting", "delivered"]
    assert outbox.rows[0].due_ms == clock.now().wall_ms + 3_600_000


def test_a_sender_that_breaks_its_promise_is_a_failed_attempt() -> None:
    def breaks(_: Message) -> Attempt:
        raise RuntimeError("canary")

    outbox = ListOutbox()
    outbox.put(message())
    courier = Courier(outbox, {"hook": FakeSender(breaks)}, HeldClock())
    courier.deliver_due()
    courier.close()
    assert outbox.rows[0].whys == ["the sender failed: RuntimeError"]


def test_a_store_that_fails_for_a_while_sends_nothing_twice() -> None:
    outbox, sender = ListOutbox(), FakeSender()
    outbox.put(message())
    courier = Courier(outbox, {"hook": sender}, RealClock())
    outbox.broken = 1
    with running(courier):
        wait_for(lambda: outbox.broken == 0)
        courier.wake()
        wait_for(lambda: outbox.states() == ["delivered"])
    assert len(sender.attempts) == 1

    outbox.put(message(2))
    sender = FakeSender(lambda sent: breaks_store(outbox))
    courier = Courier(outbox, {"hook": sender}, RealClock())
    with running(courier):
        wait_for(lambda: outbox.states() == ["delivered"] * 2)
    assert len(sender.attempts) == 1


def breaks_store(outbox: ListOutbox) -> Attempt:
    outbox.broken = 1
    return Attempt(done=True)


def test_a_hanging_endpoint_delays_no_other_and_no_stop() -> None:
    outbox, let_go = ListOutbox(["slow", "fast"]), threading.Event()

    def hang(_: Message) -> Attempt:
        let_go.wait(60)
        return Attempt(done=True)

    fast = FakeSender()
    courier = Courier(outbox, {"slow": FakeSender(hang), "fast": fast}, RealClock(), grace=0.5)
    began = time.monotonic()
    with running(courier):
        for number in range(300):
            outbox.put(message(number, f"camera{number % 150}"))
        courier.wake()
        wait_for(lambda: len(fast.attempts) == 300, 5)
        assert time.monotonic() - began < 3
    assert time.monotonic() - began < 5  # the grace and no more
    let_go.set()
    assert {row.state for row in outbox.rows if row.endpoint == "slow"} == {"waiting"}


def test_stop_delivers_what_is_due_first() -> None:
    outbox, sender = ListOutbox(), FakeSender()
    courier = Courier(outbox, {"hook": sender}, RealClock())
    with running(courier):
        outbox.put(*(message(number) for number in range(50)))
    assert outbox.states() == ["delivered"] * 50


def test_stop_waits_for_what_is_on_its_way_and_for_what_follows_it() -> None:
    stop, pause = threading.Event(), threading.Event()

    def takes_its_time(_: Message) -> Attempt:
        stop.wait(10)
        pause.wait(0.2)
        return Attempt(done=True)

    outbox = ListOutbox()
    outbox.put(message(1), message(2))
    sender = FakeSender(takes_its_time)
    courier = Courier(outbox, {"hook": sender}, RealClock())
    thread = threading.Thread(target=courier.run, args=(stop,))
    thread.start()
    wait_for(lambda: len(sender.attempts) == 1)
    stop.set()
    courier.wake()
    thread.join(20)
    assert outbox.states() == ["delivered"] * 2


def test_what_was_sent_and_not_marked_comes_again_with_the_same_id() -> None:
    """A process that ends between the two is at-least-once at work."""
    outbox, first, second = ListOutbox(), FakeSender(lambda _: breaks_store(outbox)), FakeSender()
    outbox.put(message())
    courier = Courier(outbox, {"hook": first}, HeldClock())
    round_ = threading.Thread(target=courier.deliver_due, daemon=True)
    round_.start()
    wait_for(lambda: len(first.attempts) == 1 and outbox.broken == 0)
    courier.close()  # before the mark is tried again
    again = Courier(outbox, {"hook": second}, HeldClock())
    again.deliver_due()
    again.close()
    assert [sent.id for sent in (*first.attempts, *second.attempts)] == ["msg_north_1"] * 2


@pytest.mark.parametrize("cameras", [1, 20])
def test_committed_to_received_is_well_under_a_second(cameras: int) -> None:
    received: dict[str, float] = {}
    committed: dict[str, float] = {}

    with receiving(always()) as receiver:

        def note(request: object) -> list[bytes]:
            received[request.headers["webhook-id"]] = time.monotonic()  # type: ignore[attr-defined]
            return [status(200)]

        receiver.answer = note
        outbox = ListOutbox()
        senders: Mapping[str, Sender] = {"hook": WebhookSender(receiver.url, SECRET, RealClock(), lan=True)}
        courier = Courier(outbox, senders, RealClock())
        with running(courier):
            for number in range(100):
                one = message(number, f"camera{number % cameras}")
                outbox.put(one)
                committed[one.id] = time.monotonic()
                courier.wake()
                wait_for(lambda number=number: len(received) > number - 5)  # type: ignore[misc]
            wait_for(lambda: len(received) == 100)
    delays = sorted(received[name] - committed[name] for name in committed)
    assert delays[98] < 1.0


def test_repeated_ids_reach_one_receiver_that_failed_first() -> None:
    def answer(receiver: ScriptedReceiver) -> list[bytes]:
        return [status(500 if len(receiver.requests) <= 5 else 200)]

    outbox, clock = ListOutbox(), HeldClock()
    outbox.put(message())
    with receiving(always()) as receiver:
        receiver.answer = lambda _: answer(receiver)
        courier = Courier(outbox, {"hook": WebhookSender(receiver.url, SECRET, clock, lan=True)}, clock)
        deliver_all(courier, outbox, clock)
        courier.close()
    stamps = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    assert ids(receiver.requests) == ["msg_north_1"] * 6
    for gap, planned in zip(gaps, (5, 15, 30, 60, 60), strict=True):
        assert 0.8 * planned - 1 <= gap <= 1.2 * planned + 1
