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
from service.worker.health import Pulse
from service.worker.watch import CameraWatch
from service.worker.witness import Witness
from tests.safety.films import START_MS, Look, NearestTracker
from tests.safety.scenes import scene

WIDTH, HEIGHT = 1000, 800
Line = Frame | CameraState | None
Opening = Callable[[], "Played"]


class CameraClock:
    """Film time on the wall, which may be `ahead`; its monotonic clock began `boot` seconds before the film."""

    def __init__(self, boot: float = 0.0) -> None:
        self.boot = boot
        self.ahead = 0.0
        self.film = 0.0

    def now(self) -> Moment:
        return self.moment(self.film)

    def sleep(self, seconds: float) -> None:
        self.film += seconds

    def moment(self, film: float) -> Moment:
        return Moment(self.boot + film, START_MS + round(1000 * (film + self.ahead)))


class Played:
    """A source that plays lines and moves the clock to them, then has the watch stopped. None: a read in which nothing
    comes; an exception: it is raised.

    Args:
        late: seconds between a frame's capture and its arrival.
    """

    def __init__(self, lines: Iterable[Line | Exception], clock: CameraClock, late: float = 0.0) -> None:
        self._lines = iter(lines)
        self._clock = clock
        self._late = late
        self.stop = threading.Event()
        self.closed = False

    def read(self, wait: float) -> Line:
        try:
            line = next(self._lines)
        except StopIteration:
            self.stop.set()
            return None
        if isinstance(line, Exception):
            raise line
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
    """What a camera sees and how it is watched; `run` it one life after the other.

    Attributes:
        broken: tells at which seconds of the film the detector fails.
        tries: the seconds of the film at which the detector was asked.
    """

    look: Look
    store: EventStore
    scene: Scene = field(default_factory=lambda: Scene(camera="gate"))
    clock: CameraClock = field(default_factory=CameraClock)
    shade: Callable[[float], int] = lambda film: 90
    late: float = 0.0
    fps: float = 5.0
    broken: Callable[[float], bool] = lambda film: False
    tries: list[float] = field(default_factory=list)
    seen: list[Image] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    pulse: Pulse | None = None
    witness: Witness | None = None

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
        self.tries.append(film)
        if self.broken(film):
            raise RuntimeError("out of memory")
        return scene(*self.look(film), width=WIDTH, height=HEIGHT)

    def run(self, *parts: Iterable[Line | Exception]) -> Played:
        """Play one life: a new watch, whose source plays the parts and is then told to stop."""
        source = self.source(*parts)
        self.watch(lambda: source, source.stop)
        return source

    def source(self, *parts: Iterable[Line | Exception]) -> Played:
        return Played((line for part in parts for line in part), self.clock, self.late)

    def watch(self, opened: Opening, stop: threading.Event | None = None, detector: FakeDetector | None = None) -> None:
        detector = detector or FakeDetector(self.see)
        try:
            CameraWatch(
                Origin(self.scene, "Gate 2", "Plant 4"),
                opened,
                detector,
                Monitor(self.scene, detector.model.thresholds, NearestTracker()),
                self.store,
                self.clock,
                lambda: self.commits.append(self.clock.film),
            ).run(stop or threading.Event(), self.pulse, witness=self.witness)
        finally:
            detector.close()
