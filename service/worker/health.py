"""How cameras do, for whoever asks: their watches say it here, and a report never waits for one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Final

from service.health import CameraReport, View
from service.metrics import CameraMetrics, Metrics, Skipped
from service.ports import CameraState, Clock, Frame
from service.safety.coverage import Blind, CannotJudge, blindness
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.moment import Moment
from service.safety.sight import Trouble
from service.worker.governor import Seat

RATE_WINDOW: Final = 10.0
"""Seconds over which judged frames are counted."""
VIEW_KEPT: Final = 60.0
"""Seconds after the last judged frame for which it is shown and held."""
_DETAIL: Final[dict[Trouble, str]] = {
    "frozen": "Each picture is a copy of the one before; nothing is judged.",
    "blind": "The pictures are black, of one colour or covered; nothing is judged.",
    "moved": "It shows another place than before: check its zones, by which people are judged on.",
}
_REASONS: Final[tuple[Blind, ...]] = ("mostly_unknown", "detector_failed")


class Pulse:
    """What one camera's watch says of it. Any thread may call it.

    Args:
        camera: its id.
        clock: the present, for states that no source tells.
        seconds: a monotonic clock, the same for films and live cameras.
        metrics: the camera's instruments; without them, new ones that nobody reads.

    Attributes:
        metrics: the same, for what is counted and not reported.
    """

    def __init__(
        self,
        camera: str,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
        metrics: CameraMetrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics().camera(camera)
        self._camera = camera
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._state = CameraState("connecting", clock.now())
        self._began: float | None = None
        self._last: tuple[float, int] | None = None
        self._judged: deque[float] = deque()
        self._blind: set[tuple[Equipment, Blind]] = set()
        self._trouble: tuple[Trouble, Moment] | None = None
        self._asked: float | None = None
        self._seat: Seat | None = None
        self._view: View | None = None

    def seated(self, seat: Seat) -> None:
        """Take the camera's place at the detector."""
        with self._lock:
            self._seat = seat

    def shows(self, view: View) -> None:
        """Take what the last judged picture shows."""
        with self._lock:
            self._view = view

    @property
    def view(self) -> View | None:
        """What the last judged picture shows; None before the first, and when that is long ago."""
        self.wait()
        with self._lock:
            return self._view

    def wait(self) -> None:
        """Let time pass: a picture that is long ago is let go, whether or not anybody asks for it."""
        now = self._seconds()
        with self._lock:
            if self._last and now - self._last[0] > VIEW_KEPT:
                self._view = None

    def state(self, state: CameraState) -> None:
        """Take a change of the camera's connection."""
        with self._lock:
            self._state = state

    def died(self) -> None:
        """Take that the watch died of a fault, and is started again after a pause."""
        detail = "The watch of this camera failed and is started again; the log tells why."
        self.state(CameraState("offline", self._clock.now(), detail=detail))
        self.metrics.died()

    def stuck(self) -> None:
        """Take that the watch can't begin."""
        detail = (
            "It was changed, and its old watch does not stop; until it does nobody watches it: start the service again."
        )
        self.state(CameraState("offline", self._clock.now(), detail=detail))

    def sight(self, trouble: tuple[Trouble, Moment] | None) -> None:
        """Take what is wrong with the camera's sight and since when; None when it sees."""
        with self._lock:
            self._trouble = trouble

    def asks(self) -> None:
        """Take that the detector is asked about a picture."""
        with self._lock:
            self._asked = self._seconds() if self._asked is None else self._asked

    def answered(self) -> None:
        """Take that the detector has answered, be it with a fault."""
        with self._lock:
            self._asked = None

    def judged(self, frame: Frame, people: int, clock: Clock, *, unseen: Skipped | None = None) -> None:
        """Take that a frame was judged; `clock` is the time that it is in.

        Args:
            unseen: why it could be judged without the detector; None when that was asked.
        """
        now = self._seconds()
        age = max(0.0, clock.now().since(frame.at))
        if unseen:
            self.metrics.skipped(unseen)
        else:
            self.metrics.judged(age)
        with self._lock:
            self._began = now if self._began is None else self._began
            self._last = (now - age, people)
            self._judged.append(now)
            self._forget(now)

    def restore(self, told: Collection[str]) -> None:
        """Take over the names of conditions that hold: a watch begins with what was told before it."""
        with self._lock:
            known = ((one, reason) for one in EQUIPMENT for reason in _REASONS)
            self._blind = {pair for pair in known if blindness(*pair) in told}

    def cannot_judge(self, changes: Iterable[CannotJudge]) -> None:
        """Take what the camera can't judge any more, or can again."""
        with self._lock:
            for change in changes:
                pair = change.equipment, change.reason
                (self._blind.add if change.begins else self._blind.discard)(pair)

    def report(self) -> CameraReport:
        """Return how the camera does now."""
        now = self._seconds()
        with self._lock:
            self._forget(now)
            watched = min(RATE_WINDOW, max(1.0, now - self._began)) if self._began is not None else RATE_WINDOW
            return CameraReport(
                camera=self._camera,
                state=self._seen(),
                frame_age=max(0.0, now - self._last[0]) if self._last else None,
                rate=len(self._judged) / watched,
                people=self._last[1] if self._last else None,
                blind=tuple(sorted(self._blind)),
                unanswered=None if self._asked is None else now - self._asked,
                reduced_to=self._seat.reduced_to if self._seat else None,
            )

    def _seen(self) -> CameraState:
        """Return the camera's connection, or, of a live camera, what is wrong with its sight."""
        if self._trouble is None or self._state.status != "live":
            return self._state
        trouble, since = self._trouble
        return CameraState(trouble, since, detail=_DETAIL[trouble])

    def _forget(self, now: float) -> None:
        while self._judged and now - self._judged[0] > RATE_WINDOW:
            self._judged.popleft()


class Health:
    """`inquiry.CameraHealth` over the pulses of a site's cameras.

    Args:
        cameras: their ids, in the order of the site file.
        metrics: the instruments of the application.
    """

    def __init__(
        self,
        cameras: Iterable[str],
        clock: Clock,
        metrics: Metrics | None = None,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._metrics = metrics or Metrics()
        self._pulses = {camera: self._pulse(camera) for camera in cameras}

    def add(self, camera: str) -> Pulse:
        """Take a camera up, or anew: nothing of what was said of it holds any more."""
        pulse = self._pulse(camera)
        self._pulses = {**self._pulses, camera: pulse}  # whoever reads the old one reads it to its end
        return pulse

    def remove(self, camera: str) -> None:
        """Let a camera go."""
        self._pulses = {one: pulse for one, pulse in self._pulses.items() if one != camera}
        self._metrics.forget(camera)

    def pulse(self, camera: str) -> Pulse:
        """Return where a camera's watch says how it does."""
        return self._pulses[camera]

    def died(self, camera: str) -> None:
        """Take that a camera's watch died of a fault."""
        if camera in self._pulses:
            self._pulses[camera].died()

    def stuck(self, camera: str) -> None:
        """Take that a camera's watch can't begin, for the one before does not stop."""
        if camera in self._pulses:
            self._pulses[camera].stuck()

    def view(self, camera: str) -> View | None:
        """Return what a camera's last judged picture shows; None: it has none yet, or there is no such camera."""
        pulse = self._pulses.get(camera)
        return pulse.view if pulse else None

    def reports(self) -> list[CameraReport]:
        """Return a report for each camera, in the order of the site file."""
        return [pulse.report() for pulse in self._pulses.values()]

    def _pulse(self, camera: str) -> Pulse:
        return Pulse(camera, self._clock, self._seconds, self._metrics.camera(camera))
