"""The machine's own time, for a store that is opened without a clock."""

from __future__ import annotations

import time

from service.safety.moment import Moment


class MachineClock:
    """`ports.Clock` on the machine's monotonic clock and wall clock."""

    def now(self) -> Moment:
        """Return the present on both clocks."""
        return Moment(time.monotonic(), time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
