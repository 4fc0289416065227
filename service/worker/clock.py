"""The machine's own time."""

from __future__ import annotations

import time
from dataclasses import replace

from service.safety.alerts import Alert
from service.safety.moment import Moment


class SystemClock:
    """`ports.Clock` on the machine's monotonic clock and wall clock."""

    def now(self) -> Moment:
        """Return the present on both clocks."""
        return Moment(time.monotonic(), time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def on_this_clock(alert: Alert, now: Moment) -> Alert:
    """Return an alert of an earlier run with its moments on this run's monotonic clock, read off the wall clock."""

    def moved(at: Moment) -> Moment:
        return Moment(now.seconds - max(0, now.wall_ms - at.wall_ms) / 1000, at.wall_ms)

    return replace(alert, since=moved(alert.since), fired=moved(alert.fired), seen=moved(alert.seen))
