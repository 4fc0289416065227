"""All cameras of a site: a thread each, restarted when it dies; any of them can be taken up, changed or let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between a watch's death and its next start: doubled each time, from the one to the other."""
STEADY: Final = 300.0
"""Seconds after which a watch that dies is no longer one that keeps dying: its pauses begin anew."""
STOPS: Final = 15.0
"""Seconds in which a watch that is told to stop does."""

log = structlog.get_logger("supervisor")

Watch = Callable[[threading.Event], None]
"""Watches one camera until the event is set; builds everything it needs anew each time it is called."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A camera that is watched."""

    thread: threading.Thread
    stop: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """Runs one watch a camera. One that raises is started again after a pause; the others do not notice.

    Args:
        watches: by the camera's id; they begin with `start`.
        died: is called with the camera's id each time that its watch died.
        stuck: is called with the camera's id when its next watch can't begin, for the one before does not stop.
        pause: waits for so many seconds, or less once the event is set.
        seconds: a monotonic clock.
        stops: seconds in which a watch that is told to stop does.
    """

    def __init__(
        self,
        watches: Mapping[str, Watch],
        *,
        died: Callable[[str], None] = lambda _: None,
        stuck: Callable[[str], None] = lambda _: None,
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
        seconds: Callable[[], float] = time.monotonic,
        stops: float = STOPS,
    ) -> None:
        self._died = died
        self._stuck = stuck
        self._stops = stops
        self._pause = pause
        self._seconds = seconds
        self._first = dict(watches)
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._leaving: dict[str, threading.Thread] = {}
        self._stopped = False

    def start(self) -> None:
        """Start watching."""
        for camera, watch in self._first.items():
            self.take(camera, watch)

    def take(self, camera: str, watch: Watch) -> None:
        """Watch a camera; one that is watched already is watched like this as soon as its watch has stopped."""
        with self._lock:
            if self._stopped:
                return
            before, stop = self._kept.get(camera), threading.Event()
            if before:
                before.stop.set()
            follows = before.thread if before else self._leaving.pop(camera, None)
            thread = threading.Thread(
                target=self._keep, args=(camera, watch, stop, follows), name=f"watch-{camera}", daemon=True
            )
            self._kept[camera] = _Kept(thread, stop)
            thread.start()

    def drop(self, camera: str, seconds: float = STOPS) -> bool:
        """Watch a camera no more, and wait for its watch to stop; return whether it did in time."""
        with self._lock:
            kept = self._kept.pop(camera, None)
            if kept is None:
                return True
            self._leaving[camera] = kept.thread
        kept.stop.set()
        kept.thread.join(seconds)
        if kept.thread.is_alive():
            log.error("watch.does_not_stop", threads=[kept.thread.name])
            return False
        with self._lock:
            if self._leaving.get(camera) is kept.thread:
                del self._leaving[camera]
        return True

    def stop(self, seconds: float = STOPS) -> bool:
        """Tell all watches to stop and wait for so long in all; return whether all of them did in time."""
        with self._lock:
            self._stopped = True
            for kept in self._kept.values():
                kept.stop.set()
        if self.wait(seconds):
            return True
        log.error("watch.does_not_stop", threads=[one.name for one in self._threads() if one.is_alive()])
        return False

    def wait(self, seconds: float) -> bool:
        """Wait for all watches to end by themselves (recordings do); return whether they have."""
        ends = time.monotonic() + seconds
        for thread in self._threads():
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads())

    def _threads(self) -> list[threading.Thread]:
        with self._lock:
            return [kept.thread for kept in self._kept.values()]

    def _keep(self, camera: str, watch: Watch, stop: threading.Event, follows: threading.Thread | None) -> None:
        if follows:  # two watches of one camera would both tell of what they see
            self._wait_for(follows, camera)
        pause = FIRST_PAUSE
        while not stop.is_set():
            began = self._seconds()
            try:
                watch(stop)
                return
            except BaseException:  # whatever it was, a library's sys.exit included: the camera must be watched again
                if self._seconds() - began >= STEADY:
                    pause = FIRST_PAUSE
                log.exception("watch.died", camera=camera, pause_s=pause)
                self._died(camera)
            self._pause(stop, pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _wait_for(self, before: threading.Thread, camera: str) -> None:
        before.join(self._stops)
        if before.is_alive():
            log.error("watch.does_not_stop", threads=[before.name])
            self._stuck(camera)
            before.join()
