"""The last seconds of one camera in memory, as small pictures, bounded in seconds and in bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from service.safety.moment import Moment

SECONDS: Final = 12.0
"""What a clip needs before and after its alert, and a little more."""
MOST_BYTES: Final = 16 * 2**20
GAP: Final = 0.095
"""Seconds between two pictures at least: ten a second show what happened."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a camera, encoded as JPEG, and when it was captured."""

    at: Moment
    jpeg: bytes


class Ring:
    """Holds a camera's newest shots in the order in which they came.

    Args:
        seconds: how far back it reaches.
        most_bytes: bytes of all shots together; what is too much thins them out, every second one, over the whole time.
    """

    def __init__(self, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._shots: deque[Shot] = deque()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of all shots."""
        return self._size

    def wants(self, at: Moment) -> bool:
        """Tell whether a shot of that moment is taken: one that follows the last too closely is not."""
        return not self._shots or at.since(self._shots[-1].at) >= GAP

    def add(self, shot: Shot) -> None:
        """Take the next shot, and let go of what is too old or too much."""
        self._shots.append(shot)
        self._size += len(shot.jpeg)
        self.forget(shot.at)
        while self._size > self._most_bytes:
            kept = [*list(self._shots)[-3::-2][::-1], shot] if len(self._shots) > 1 else []
            self._shots = deque(kept)
            self._size = sum(len(one.jpeg) for one in kept)

    def forget(self, now: Moment) -> None:
        """Let go of what is too old."""
        while self._shots and now.since(self._shots[0].at) > self._seconds:
            self._size -= len(self._shots.popleft().jpeg)

    def between(self, first: float, last: float) -> tuple[Shot, ...]:
        """Return the shots of the seconds [first, last] on the frames' clock."""
        return tuple(shot for shot in self._shots if first <= shot.at.seconds <= last)
