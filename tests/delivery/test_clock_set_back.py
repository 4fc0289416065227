"""Due times are wall time, and a wall clock may be set back: that holds up no message for long."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.delivery.courier import Courier
from service.delivery.fake import FakeSender
from service.delivery.schedule import GAPS, next_ms
from service.ports import Attempt
from service.safety.moment import Moment
from service.store.fake import FakeStore
from tests.delivery.scripted import HeldClock, message


@settings(max_examples=200)
@given(st.integers(1, 310), st.none() | st.floats(0, 7200), st.floats(0, 1), st.integers(0, 10 * 366 * 86_400_000))
def test_a_clock_that_is_set_back_holds_a_message_up_for_two_gaps_at_most(
    attempts: int, wish: float | None, share: float, back_ms: int
) -> None:
    outbox, tried_ms = FakeStore(["hook"]), HeldClock().now().wall_ms
    outbox.record([], [], [message()])
    again_ms = next_ms(message().id, attempts, tried_ms, wish)
    assert again_ms is not None
    gap_ms = again_ms - tried_ms
    outbox.failed(outbox.due(tried_ms)[0], tried_ms, "HTTP 500", again_ms)
    passed_ms = round(share * gap_ms)  # really, until the clock is set back
    wall_ms = tried_ms - back_ms
    assert outbox.due(wall_ms + passed_ms) or outbox.due(wall_ms + 2 * gap_ms)


def test_a_clock_that_is_set_back_is_followed_by_a_try_and_by_the_usual_gaps() -> None:
    outbox, clock, sender = FakeStore(["hook"]), HeldClock(), FakeSender(lambda _: Attempt(done=False, why="HTTP 500"))
    outbox.record([], [], [message()])
    courier = Courier(outbox, {"hook": sender}, clock)
    assert [courier.deliver_due(), courier.deliver_due()] == [1, 0]
    clock.at = Moment(clock.at.seconds + 1, clock.at.wall_ms - 86_400_000)
    assert [courier.deliver_due(), courier.deliver_due()] == [1, 0]
    clock.sleep(1.2 * GAPS[1])
    assert [courier.deliver_due(), courier.deliver_due()] == [1, 0]
    courier.close()
