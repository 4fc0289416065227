"""Lives of a camera, played to a `CameraWatch`: made films on a clock that only the camera moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from service.detectors.fake import FakeDetector
from service.events import Origin
from service.ports import CameraState, EventStore, Frame, Image
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.monitor import Monitor
from service.safety.site import Scene
from service.worker.watch import CameraWatch
from tests.safety.films import START_MS, Look, NearestTracker
from tests.safety.scenes import scene

WIDTH, HEIGHT = 1000, 800
Line = Frame | CameraState | None
Opening = Callable[[], "Played"]


class CameraClock:
    """Film time on the wall; its monotonic clock began `boot` seconds before the film."""

    def __init__(self, boot: float = 0.0) -> None:
        self.boot = boot
        self.film = 0.0

    def now(self) -> Moment:
        return self.moment(self.film)

    def sleep(self, seconds: float) -> None:
        self.film += seconds

    def moment(self, film: float) -> Moment:
        return Moment(self.boot + film, START_MS + round(1000 * film))


class Played:
    """A source that plays lines and moves the clock to them, then ends. None is a read in which nothing comes.

    Args:
        late: seconds between a frame's capture and its arrival.
    """

    def __init__(self, lines: Iterable[Line], clock: CameraClock, late: float = 0.0) -> None:
        self._lines = iter(lines)
        self._clock = clock
        self._late = late
        self.closed = False

    def read(self, wait: float) -> Line:
        line = next(self._lines, CameraState("ended", self._clock.now()))
        if line is None:
            self._clock.sleep(wait)
        else:
            self._clock.film = max(self._clock.film, line.at.seconds - self._clock.boot + self._late)
        return line

    def close(self) -> None:
        self.closed = True


def grey(value: int) -> Image:
    return np.full((HEIGHT, WIDTH, 3), value, dtype=np.uint8)


@dataclass
class Play:
    """What a camera sees and how it is watched; `run` it one life after the other."""

    look: Look
    store: EventStore
    scene: Scene = field(default_factory=lambda: Scene(camera="gate"))
    clock: CameraClock = field(default_factory=CameraClock)
    shade: Callable[[float], int] = lambda film: 90
    late: float = 0.0
    fps: float = 5.0
    seen: list[Image] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)

    def frames(self, start: float, end: float) -> Iterator[Frame]:
        """The frames from one second of the film to another."""
        for number in range(round(start * self.fps), round(end * self.fps)):
            film = number / self.fps
            yield Frame(grey(self.shade(film)), self.clock.moment(film), number + 1)

    def state(self, status: str, film: float, code: str | None = None) -> CameraState:
        return CameraState(status, self.clock.moment(film), code)  # type: ignore[arg-type]

    def see(self, image: Image) -> Detections:
        self.seen.append(image)
        film = self.clock.film - self.late
        return scene(*self.look(film), width=WIDTH, height=HEIGHT)

    def run(self, *parts: Iterable[Line]) -> Played:
        """Play one life: a new watch, whose source plays the parts and then ends."""
        source = Played((line for part in parts for line in part), self.clock, self.late)
        self.watch(lambda: source)
        return source

    def watch(self, opened: Opening, stop: threading.Event | None = None) -> None:
        detector = FakeDetector(self.see)
        try:
            CameraWatch(
                Origin(self.scene, "Gate 2", "Plant 4"),
                opened,
                detector,
                Monitor(self.scene, detector.model.thresholds, NearestTracker()),
                self.store,
                self.clock,
                lambda: self.commits.append(self.clock.film),
            ).run(stop or threading.Event())
        finally:
            detector.close()
