"""When something happened, on two clocks: one that only moves forwards and one that people read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time that arrives with a frame.

    Attributes:
        seconds: a monotonic clock, or the position in a recorded file. Every duration is a difference of these.
        wall_ms: Unix time in milliseconds: identifiers, schedules and people use it.
    """

    seconds: float
    wall_ms: int

    def since(self, earlier: Moment) -> float:
        """Return the seconds that passed since `earlier`."""
        return self.seconds - earlier.seconds
