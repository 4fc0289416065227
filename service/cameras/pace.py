"""When to try again, and which frames to take: both are arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

STEPS: Final = (1.0, 2.0, 4.0, *(10 * (5.0,)), 30.0)
"""Who is back within a minute is watched again within ten seconds: a pause, its jitter, and the time to open."""
JITTER: Final = 0.2


def delays(random: Callable[[], float]) -> Iterator[float]:
    """Yield the seconds to wait before each next attempt: 1, 2, 4, ten times 5, then 30 for ever, each +-20 %.

    The jitter keeps cameras that went down together from coming back together.

    Args:
        random: returns a number in [0, 1).
    """
    attempt = 0
    while True:
        yield STEPS[min(attempt, len(STEPS) - 1)] * (1 - JITTER + 2 * JITTER * random())
        attempt += 1


class Pace:
    """Takes at most `fps` live frames a second, evenly, out of those that arrive.

    Args:
        fps: most frames a second.
    """

    def __init__(self, fps: float) -> None:
        self._period = 1 / fps
        self._due = -math.inf

    def takes(self, now: float) -> bool:
        """Tell whether the frame that arrived at `now` is handed out.

        A frame may come a tenth of a period early, so that jitter does not cost every other one. One that comes late
        does not move those after it, or of 5 frames a second 4 would become 2.5; after a gap no backlog is caught up.
        """
        if now < self._due - 0.1 * self._period:
            return False
        late = now - self._due > 0.9 * self._period
        self._due = (now if late else self._due) + self._period
        return True
