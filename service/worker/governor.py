"""Cameras share one detector: when it can't keep up with all, each is judged less often, and somebody is told so.

It is known by the detector's answers: a camera whose pictures take longer than the time between two of them can't keep
its pace. What the detector managed then is shared out anew (`shares.allot`), a little less of it; while it keeps up
with that, a little more is tried every now and then, less often each time that it proved too much.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import structlog

from service.cameras.pace import Pace
from service.ports import Detector, Image, Model
from service.safety.detections import Detections
from service.worker.shares import Claim, allot, asked, least

WINDOW: Final = 5.0
"""Seconds of answers that are judged together."""
ENOUGH: Final = 3
"""Answers in a window from which a camera's count."""
LATE: Final = 0.95
EARLY: Final = 0.7
"""Shares of the time between two pictures: answers that take longer are late; while all take less there is room."""
LESS: Final = 0.9
MORE: Final = 1.15
DOUBLE: Final = 2.0
"""What is tried next, of what was shared out: less, more, or double where answers take less than half of EARLY."""
FIRST_PATIENCE: Final = 15.0
LONGEST_PATIENCE: Final = 300.0
"""Seconds of keeping up until more is tried: doubled each time that it proved too much."""

log = structlog.get_logger("governor")


class Seat:
    """One camera's place at the detector."""

    def __init__(self, governor: Governor, camera: str, claim: Claim) -> None:
        self._governor = governor
        self.camera = camera
        self.claim = claim
        self.fps = claim.fps
        self.took: list[float] = []
        self._pace = Pace(claim.fps)

    @property
    def reduced_to(self) -> float | None:
        """Frames a second that the camera gets; None when it gets what it asks for."""
        return self.fps if self.fps < self.claim.fps else None

    def takes(self, at: float) -> bool:
        """Tell whether the frame that was captured at so many seconds is the camera's turn."""
        return self.reduced_to is None or self._pace.takes(at)

    def paced(self, fps: float) -> None:
        """Take how many frames a second it gets from now on."""
        if fps != self.fps:
            self.fps, self._pace = fps, Pace(fps)

    def looked(self, seconds: float) -> None:
        """Take how long the detector took for a picture, waiting for others included."""
        self._governor.looked(self, seconds)

    def measured(self, detector: Detector) -> Detector:
        """Return the detector, with its answers measured."""
        return _Measured(detector, self)


class Governor:
    """Shares a detector among cameras. Safe from many threads.

    Args:
        seconds: a monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._seats: dict[str, Seat] = {}
        self._looks: float | None = None  # what is shared out; None: everybody has what they ask for
        self._since: float | None = None  # when the window's first answer came: before it nothing may have been asked
        self._last = 0.0
        self._tried = False  # more was shared out since the last cut
        self._patience = FIRST_PATIENCE
        self._again = 0.0
        self._told: dict[str, float] = {}

    def seat(self, camera: str, claim: Claim) -> Seat:
        """Give a camera a place; it loses the one that it had."""
        with self._lock:
            seat = self._seats[camera] = Seat(self, camera, claim)
            self._share()
            return seat

    def leave(self, camera: str) -> None:
        """Take a camera's place away; the others get its share."""
        with self._lock:
            self._seats.pop(camera, None)
            self._share()

    def looked(self, seat: Seat, seconds: float) -> None:
        """Take one answer, and share anew at the end of a window."""
        with self._lock:
            now = self._seconds()
            unasked, self._last = now - seconds - self._last, now
            if self._since is None or unasked > WINDOW:  # what was not asked for was not too much
                self._begin(now)
                return
            seat.took.append(seconds)
            pressed = self._pressed()
            if pressed is None or (lasted := now - self._since) < WINDOW:
                return
            self._judge(now, lasted, pressed)
            self._begin(None)

    def _begin(self, since: float | None) -> None:
        self._since = since
        for one in self._seats.values():
            one.took.clear()

    def _pressed(self) -> float | None:
        """Return the share of the time between two pictures that answers take; None while there are too few of them."""
        known = [one for one in self._seats.values() if len(one.took) >= ENOUGH]
        return max((sum(one.took) / len(one.took) * one.fps for one in known), default=None)

    def _judge(self, now: float, lasted: float, pressed: float) -> None:
        if pressed > LATE:
            managed = sum(len(one.took) * one.claim.cost for one in self._seats.values()) / lasted
            if self._tried:  # it was too much
                self._patience = min(2 * self._patience, LONGEST_PATIENCE)
            self._tried = False
            self._looks = max(LESS * managed, least(one.claim for one in self._seats.values()))
            self._again = now + self._patience
        elif self._looks is None:
            if now >= self._again:  # all was given back, and it was not too much
                self._tried, self._patience = False, FIRST_PATIENCE
        elif pressed < EARLY:
            plenty = pressed < EARLY / 2
            # what was cut for a moment's sake comes back at once, unless coming back proved too much before
            if now >= self._again or (plenty and self._patience == FIRST_PATIENCE):
                self._looks *= DOUBLE if plenty else MORE
                self._tried = True
                self._again = now + self._patience
        self._share()

    def _share(self) -> None:
        """Share out what is managed, and tell when somebody gets another share."""
        claims = {name: one.claim for name, one in self._seats.items()}
        if self._looks is not None and asked(claims.values()) <= self._looks:
            self._looks = None
        shares = {} if self._looks is None else allot(claims, self._looks)
        for name, claim in claims.items():
            self._seats[name].paced(claim.fps if self._looks is None else shares[name])
        reduced = {name: round(one.fps, 1) for name, one in self._seats.items() if one.reduced_to is not None}
        if reduced == self._told:
            return
        self._told = reduced
        if reduced:
            log.warning("detector.overloaded", frames_per_second=reduced)
        else:
            log.info("detector.keeps_up")


class _Measured:
    """A detector whose answers are measured for a seat."""

    def __init__(self, detector: Detector, seat: Seat) -> None:
        self._detector = detector
        self._seat = seat

    @property
    def model(self) -> Model:
        return self._detector.model

    def submit(self, image: Image) -> Future[Detections]:
        began = time.perf_counter()
        future = self._detector.submit(image)
        future.add_done_callback(lambda done: self._answered(done, began))
        return future

    def detect(self, image: Image) -> Detections:
        return self.submit(image).result()

    def close(self) -> None:
        self._detector.close()

    def _answered(self, done: Future[Detections], began: float) -> None:
        if not done.cancelled() and done.exception() is None:  # a detector that fails at once is none that keeps up
            self._seat.looked(time.perf_counter() - began)
