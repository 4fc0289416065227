"""The courier: takes what is due from the outbox, hands it to the senders and marks how it went.

Every endpoint has a thread of its own, so that a slow receiver holds up nobody else's messages. A message is marked
after it was sent: a stop between the two sends it again, with the same id. Of an endpoint and camera only the oldest
unfinished message is ever due (the outbox sees to that), so a camera's messages arrive in order. An endpoint that
answers 410 is disabled in the outbox, and what is on its way to it stays there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

import structlog

from service.delivery.schedule import LONGEST, next_ms
from service.events import alert_of
from service.metrics import Metrics, Outcome
from service.ports import Attempt, Clock, Delivery, Outbox, Sender

POLL: Final = 0.5
"""Seconds between looks into the outbox when nobody calls."""
GRACE: Final = 4.0
PAGE: Final = 100
"""Deliveries that are taken at once."""
_STORE_AGAIN: Final = 1.0
"""Seconds until a mark that the store refused is written again."""

log = structlog.get_logger("delivery")


class Courier:
    """Delivers an outbox. `run` it in a thread, or call `deliver_due` for one round; not both at once.

    Args:
        senders: by the endpoint's name.
        grace: seconds that deliveries get once `run` is told to stop.
        metrics: is told of each attempt.
    """

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[str, Sender],
        clock: Clock,
        *,
        grace: float = GRACE,
        metrics: Metrics | None = None,
    ) -> None:
        self._outbox = outbox
        self._senders = dict(senders)
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._metrics.expect(self._senders)
        self._grace = grace
        self._lanes: dict[str, SimpleQueue[Delivery | None]] = {}
        self._busy: set[tuple[str, str]] = set()
        self._gone: set[str] = set()  # endpoints that were disabled since the outbox was asked last
        self._changed = threading.Condition()
        self._woken = False
        self._closing = threading.Event()

    def wake(self) -> None:
        """Say that the outbox has something new. Safe from every thread; returns at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def deliver_due(self) -> int:
        """Try everything that is due now once, wait until that is done, and return how many attempts it took."""
        started = self._start_due()
        self._wait(lambda: not self._busy)
        return started

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then for a few seconds more what is due already."""
        while not stop.is_set():
            self._look()
            self._wait(lambda: self._woken or stop.is_set(), POLL)
        ends = time.monotonic() + self._grace
        while (left := ends - time.monotonic()) > 0 and (self._look() or self._busy or self._woken):
            self._wait(lambda: self._woken or not self._busy, left)
        self.close()

    def close(self) -> None:
        """Let the endpoints' threads end; what they still send is not marked any more. Idempotent."""
        self._closing.set()
        for queue in self._lanes.values():
            queue.put(None)

    def _look(self) -> int:
        """Start what is due; a store that fails is asked again at the next look."""
        with self._changed:
            self._woken = False
        try:
            return self._start_due()
        except Exception as error:  # noqa: BLE001 - whatever the store raises, alerts must leave when it works again
            log.error("the outbox could not be read", fault=_short(error))
            return 0

    def _start_due(self) -> int:
        """Hand what is due, and not on its way already, to the endpoints' threads."""
        with self._changed:
            before = frozenset(self._busy)  # taken before the look: what ends during it was read as due, and is not
            self._gone.clear()
        started = 0
        for delivery in self._outbox.due(self._clock.now().wall_ms, PAGE + len(before)):
            key = (delivery.endpoint, delivery.message.id)
            if key in before:
                continue
            with self._changed:
                if delivery.endpoint in self._gone:
                    continue
                self._busy.add(key)
                self._lane(delivery.endpoint).put(delivery)
            started += 1
        return started

    def _lane(self, endpoint: str) -> SimpleQueue[Delivery | None]:
        """Return an endpoint's queue; its thread starts with its first delivery."""
        if endpoint not in self._lanes:
            self._lanes[endpoint] = SimpleQueue()
            # a daemon: what a receiver holds up past the grace must not hold up the end of the process
            threading.Thread(target=self._serve, args=(endpoint,), name=f"deliver-{endpoint}", daemon=True).start()
        return self._lanes[endpoint]

    def _serve(self, endpoint: str) -> None:
        queue = self._lanes[endpoint]
        while (delivery := queue.get()) is not None and not self._closing.is_set():
            self._deliver(delivery)
            with self._changed:
                self._busy.discard((delivery.endpoint, delivery.message.id))
                self._woken = True  # the camera's next message is due now
                self._changed.notify_all()

    def _deliver(self, delivery: Delivery) -> None:
        attempt = self._attempt(delivery)
        at_ms = self._clock.now().wall_ms
        about = _about(delivery)
        if attempt.done:
            self._count(delivery, "delivered", at_ms)
            log.debug("delivered", attempt=delivery.attempts + 1, **about)
            self._mark(lambda: self._outbox.delivered(delivery, at_ms))
            return
        if attempt.gone:
            self._count(delivery, "gone", at_ms)
            log.error("endpoint is disabled", why=attempt.why, mend="ppe webhook enable, or a new url", **about)
            self._mark(lambda: self._outbox.disable(delivery, at_ms, attempt.why))
            self._put_back(delivery.endpoint)
            return
        attempts = delivery.attempts + 1
        again = None if attempt.give_up else next_ms(delivery.message.id, attempts, at_ms, attempt.retry_after)
        self._count(delivery, "dead" if again is None else "failed", at_ms)
        if again is None:
            log.error("message is dead", attempt=attempts, why=attempt.why, **about)
        else:
            log.warning("not delivered", attempt=attempts, why=attempt.why, again_in_ms=again - at_ms, **about)
        self._mark(lambda: self._outbox.failed(delivery, at_ms, attempt.why, again))

    def _count(self, delivery: Delivery, outcome: Outcome, at_ms: int) -> None:
        self._metrics.attempted(delivery.endpoint, outcome, (at_ms - delivery.message.created_ms) / 1000)

    def _put_back(self, endpoint: str) -> None:
        """Leave what else is on its way to an endpoint in the outbox, where it waits on."""
        queue = self._lanes[endpoint]
        with self._changed:
            self._gone.add(endpoint)
            with suppress(Empty):
                while (waiting := queue.get_nowait()) is not None:
                    self._busy.discard((waiting.endpoint, waiting.message.id))
                queue.put(None)  # the end, for the lane to find

    def _attempt(self, delivery: Delivery) -> Attempt:
        sender = self._senders.get(delivery.endpoint)
        if sender is None:
            return Attempt(done=False, why="the site file has no such endpoint", retry_after=LONGEST)
        try:
            return sender.send(delivery.message)
        except Exception as error:  # noqa: BLE001 - a fault of one sender is a failed attempt, not the end of the lane
            return Attempt(done=False, why=f"the sender failed: {type(error).__name__}")  # its text may hold a secret

    def _mark(self, mark: Callable[[], None]) -> None:
        """Write how it went; until the store takes it the message stays busy, or it would be sent again at once."""
        while not self._closing.is_set():
            try:
                mark()
            except Exception as error:  # noqa: BLE001 - as above
                log.error("the outbox could not be written", fault=_short(error))
                self._closing.wait(_STORE_AGAIN)
            else:
                return

    def _wait(self, ready: Callable[[], bool], seconds: float | None = None) -> None:
        with self._changed:
            self._changed.wait_for(ready, seconds)


def _about(delivery: Delivery) -> dict[str, str]:
    """Name a delivery, for a log line."""
    message = delivery.message
    alert = alert_of(message)
    known = {"endpoint": delivery.endpoint, "message": message.id, "type": message.type, "camera": message.camera}
    return {**known, "alert": alert} if alert else known


def _short(error: Exception) -> str:
    """Name a fault without what it was about: a database's error repeats the row."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
