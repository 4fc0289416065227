"""All cameras of a site: a thread each, restarted when it dies, stopped together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between a watch's death and its next start: doubled each time, from the one to the other."""
STEADY: Final = 300.0
"""Seconds after which a watch that dies is no longer one that keeps dying: its pauses begin anew."""

log = structlog.get_logger("supervisor")

Watch = Callable[[threading.Event], None]
"""Watches one camera until the event is set; builds everything it needs anew each time it is called."""


class Supervisor:
    """Runs one watch a camera. One that raises is started again after a pause; the others do not notice.

    Args:
        watches: by the camera's id.
        died: is called with the camera's id each time that its watch died.
        pause: waits for so many seconds, or less once the event is set.
        seconds: a monotonic clock.
    """

    def __init__(
        self,
        watches: Mapping[str, Watch],
        *,
        died: Callable[[str], None] = lambda _: None,
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._died = died
        self._pause = pause
        self._seconds = seconds
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(camera, watch), name=f"watch-{camera}", daemon=True)
            for camera, watch in watches.items()
        ]

    def start(self) -> None:
        """Start watching."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 15.0) -> bool:
        """Tell all watches to stop and wait for so long in all; return whether all of them did in time."""
        self._stop.set()
        if self.wait(seconds):
            return True
        log.error("watch.does_not_stop", threads=[thread.name for thread in self._threads if thread.is_alive()])
        return False

    def wait(self, seconds: float) -> bool:
        """Wait for all watches to end by themselves (recordings do); return whether they have."""
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _keep(self, camera: str, watch: Watch) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            began = self._seconds()
            try:
                watch(self._stop)
                return
            except BaseException:  # whatever it was, a library's sys.exit included: the camera must be watched again
                if self._seconds() - began >= STEADY:
                    pause = FIRST_PAUSE
                log.exception("watch.died", camera=camera, pause_s=pause)
                self._died(camera)
            self._pause(self._stop, pause)
            pause = min(2 * pause, LONGEST_PAUSE)
