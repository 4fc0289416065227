"""All cameras of a site: a thread each, restarted when it dies, stopped together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between a thread's death and its next start: doubled each time, from the one to the other."""

log = structlog.get_logger("supervisor")

Watch = Callable[[threading.Event], None]
"""Watches one camera until the event is set; builds everything it needs anew each time it is called."""


class Supervisor:
    """Runs one watch a camera. One that raises is started again after a pause; the others do not notice."""

    def __init__(self, watches: Mapping[str, Watch]) -> None:
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
        """Tell all watches to stop and wait; return whether all of them did in time."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def wait(self, seconds: float) -> bool:
        """Wait for all watches to end by themselves (recordings do); return whether they have."""
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _keep(self, camera: str, watch: Watch) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                watch(self._stop)
                return
            except Exception:  # whatever it was, the camera must be watched again
                log.exception("watch.died", camera=camera, pause_s=pause)
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
