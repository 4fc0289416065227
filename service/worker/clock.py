"""The machine's own time, and a recording's."""

from __future__ import annotations

import time
from dataclasses import replace

from service.ports import CameraState, Frame, FrameSource
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


class FilmClock:
    """`ports.Clock` of one recording: now is what it showed last, so that nothing in a film is late.

    Args:
        began: the film's first moment.
    """

    def __init__(self, began: Moment) -> None:
        self._at = began

    def now(self) -> Moment:
        """Return the moment that the film has come to."""
        return self._at

    def sleep(self, seconds: float) -> None:
        """Return at once: a film does not go on by waiting."""

    def by(self, source: FrameSource) -> FrameSource:
        """Return the recording, moving this clock as it is read."""
        return _Timed(source, self)

    def show(self, at: Moment) -> None:
        """Move to a moment."""
        self._at = at


class _Timed:
    def __init__(self, source: FrameSource, clock: FilmClock) -> None:
        self._source = source
        self._clock = clock

    def read(self, wait: float) -> Frame | CameraState | None:
        happened = self._source.read(wait)
        if happened is not None:
            self._clock.show(happened.at)
        return happened

    def close(self) -> None:
        self._source.close()


def on_this_clock(alert: Alert, now: Moment) -> Alert:
    """Return an alert of an earlier run with its moments on this run's monotonic clock, read off the wall clock."""

    def moved(at: Moment) -> Moment:
        return Moment(now.seconds - max(0, now.wall_ms - at.wall_ms) / 1000, at.wall_ms)

    ended = alert.ended and moved(alert.ended)
    return replace(alert, since=moved(alert.since), fired=moved(alert.fired), seen=moved(alert.seen), ended=ended)
