"""A camera that plays a script: for tests of whatever reads cameras."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from service.ports import CameraState, Clock, Frame


class FakeSource:
    """Hands out scripted frames and states in order; see `ports.FrameSource`.

    Args:
        script: what happens. None is a read in which nothing does: `wait` passes on the clock.
        clock: the clock that waits; without one, waits take no time.
    """

    def __init__(self, script: Iterable[Frame | CameraState | None], clock: Clock | None = None) -> None:
        self._script = deque(script)
        self._clock = clock
        self.closed = False

    def read(self, wait: float) -> Frame | CameraState | None:
        """Return the script's next line; after its last, or ``ended``, or `close`, None."""
        if self.closed:
            return None
        line = self._script.popleft() if self._script else None
        if isinstance(line, CameraState) and line.status == "ended":
            self._script.clear()
            self._clock = None  # after the end None comes at once
        if line is None and self._clock and wait > 0:
            self._clock.sleep(wait)
        return line

    def close(self) -> None:
        """End the play. Idempotent."""
        self.closed = True
