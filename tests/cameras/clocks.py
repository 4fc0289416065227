"""Clocks for tests: one that stands still until it is told to wait, and a real one that skips what it should sleep."""

from __future__ import annotations

import time

from service.safety.moment import Moment


class HeldClock:
    """Moves only when somebody waits."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.seconds = seconds

    def now(self) -> Moment:
        return Moment(self.seconds, round(self.seconds * 1000))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class RealClock:
    def now(self) -> Moment:
        return Moment(time.monotonic(), time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SkippingClock:
    """Real time, except that sleeping takes none: back-offs are over at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> Moment:
        return Moment(time.monotonic() + self.skipped, time.time_ns() // 1_000_000 + round(self.skipped * 1000))

    def sleep(self, seconds: float) -> None:
        self.skipped += seconds
