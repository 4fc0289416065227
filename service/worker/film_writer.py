"""Clips are encoded and kept in one thread for all cameras: no camera and no alert waits for that thread."""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import structlog

from service.pictures.film import Film
from service.ports import ClipStore, Clock, Image, StoreUnavailable
from service.worker.ring import Shot

MOST: Final = 64
"""Clips that wait at most."""
MOST_BYTES: Final = 64 * 2**20
"""Bytes of the pictures of clips that wait, at most; those that clips share count once."""
RETRY: Final = 5.0
"""Seconds between two tries to keep a clip whose alert the store could not be told yet."""
GIVE_UP: Final = 600.0
"""Seconds after which a clip is given up whose alert the store still does not know."""
NOTING: Final = 1.0
"""Seconds that are spent on telling of clips that will not come, before the next one is written."""
LEAVE: Final = 8.0
"""Seconds that are spent on what waits when the service stops."""
_NICE: Final = 10
_RATE: Final = 5.0
FULL: Final = "too many clips waited to be written"
NOTHING: Final = "no picture of these seconds was kept"
STOPPED: Final = "the service was stopped before it could be written"
UNKNOWN: Final = "the store could not be told of its alert"

log = structlog.get_logger("clips")


@dataclass(slots=True)
class Job:
    """A clip to be written: the same one for all alerts that fired on one frame."""

    camera: str
    alerts: tuple[str, ...]
    shots: tuple[Shot, ...]
    since: float = 0.0
    again: float = 0.0
    mp4: bytes = field(default=b"", repr=False)


class FilmWriter:
    """Writes clips one after another. Any thread may `put`; `step` is for the thread that `start` begins.

    Args:
        clock: for the time between tries.
    """

    def __init__(self, store: ClipStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._refused: deque[tuple[str, str]] = deque(maxlen=1000)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, job: Job) -> None:
        """Take a clip, or refuse it where too much waits; it never waits and never raises."""
        with self._changed:
            job.since = self._clock.now().seconds
            if not job.shots:
                self._refuse(job, NOTHING)
            elif len(self._waiting) >= MOST or _size(*self._waiting, job) > MOST_BYTES:
                self._refuse(job, FULL)
            else:
                self._waiting.append(job)
            self._changed.notify()

    def close(self, seconds: float = LEAVE) -> None:
        """Write what waits and note the rest as absent, for so long at most and one call of the store. Idempotent.

        What was not noted by then is noted at the next start, as all that an earlier process promised.
        """
        ends = self._clock.now().seconds + seconds
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)
        with self._changed:
            while self._waiting:
                self._refuse(self._waiting.popleft(), STOPPED)
        self._note(ends)

    def step(self) -> float:
        """Write the next clip that is due; return the seconds until there is something to do, 0 for at once."""
        now = self._clock.now().seconds
        if not self._stopping:  # then `close` notes what is left, once
            self._note(now + NOTING)
        with self._changed:
            job = next((one for one in self._waiting if self._stopping or one.again <= now), None)
            if job is None:
                return min((one.again - now for one in self._waiting), default=RETRY)
            self._waiting.remove(job)
        try:
            while job.alerts:
                self._store.keep_clip(job.alerts[0], lambda path: _encode(job, path))
                job.alerts = job.alerts[1:]
        except StoreUnavailable:
            self._try_later(job, now)
        except Exception as error:  # noqa: BLE001 - one clip that can't be kept costs no other
            with self._changed:
                self._refuse(job, f"it could not be kept ({type(error).__name__}: {error})")
        return 0.0

    def _try_later(self, job: Job, now: float) -> None:
        with self._changed:
            if self._stopping:
                self._refuse(job, STOPPED)
            elif now - job.since >= GIVE_UP:
                self._refuse(job, UNKNOWN)
            else:
                job.again = now + RETRY
                self._waiting.append(job)

    def _refuse(self, job: Job, why: str) -> None:
        log.error("clip.dropped", camera=job.camera, alerts=job.alerts, why=why)
        self._refused.extend((alert, why) for alert in job.alerts)

    def _note(self, ends: float) -> None:
        """Tell the store of clips that will not come, of one at least and until `ends`; the rest is tried again."""
        with self._changed:
            refused, left = self._refused.copy(), []
            self._refused.clear()
        while refused:
            alert, why = refused.popleft()
            try:
                self._store.no_clip(alert, why)
            except StoreUnavailable:
                left.append((alert, why))
            if self._clock.now().seconds >= ends:
                break
        with self._changed:
            self._refused.extendleft(reversed([*refused, *left]))

    def _run(self) -> None:
        with suppress(OSError):  # of this thread alone, and of the encoder's that it starts
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            pause = self.step()
            with self._changed:
                if self._stopping and not self._waiting:
                    return
                if pause and not self._stopping and not any(one.again == 0.0 for one in self._waiting):
                    self._changed.wait(pause)


def _size(*jobs: Job) -> int:
    """Return the bytes of the pictures of clips, each picture counted once."""
    return sum({id(shot): len(shot.jpeg) for job in jobs for shot in job.shots}.values())


def _encode(job: Job, path: Path) -> None:
    """Write a job's film to a path, encoding it once for all its alerts."""
    if job.mp4:
        path.write_bytes(job.mp4)
        return
    with Film(path, _RATE) as film:
        for shot in job.shots:
            film.add(_decoded(shot.jpeg), shot.at.since(job.shots[0].at))
    if len(job.alerts) > 1:
        job.mp4 = path.read_bytes()


def _decoded(picture: bytes) -> Image:
    decoded: Image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[assignment]
    return decoded
