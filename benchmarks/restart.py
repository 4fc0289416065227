"""Does a restart in the middle of an episode make a second alert? One restart at every second of sixty.

    python -m benchmarks.restart [--seconds 60] [--down 3] [--out FILE]

A worker stands without a helmet for 60 s and then puts one on. The real loop with the real tracker and the real store
watches, is stopped (SIGTERM) or cut off (kill -9: nothing of what it does then reaches the disk) at a second, and goes
on `--down` seconds later with everything built anew, on another monotonic clock. Prints JSON; exits with 1 when an
episode has not exactly one alert.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import tell
from service.detectors.fake import FakeDetector
from service.events import Origin
from service.ports import EventStore, Frame, Message, Still
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import PersonSeconds
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.site import Scene
from service.store.store import Store
from service.telemetry import configure_logging
from service.wiring import open_monitor
from service.worker.watch import CameraWatch
from tests.safety.films import START_MS, worker
from tests.safety.scenes import scene

FPS, EPISODE, AFTER = 5, 60, 10
PICTURE = np.full((360, 640, 3), 90, dtype=np.uint8)


class Severed:
    """The store as a process sees it that is killed: what it does after the cut reaches nothing."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self.cut = False

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
        if not self.cut:
            self._store.record(changes, stills, messages, clips)

    def open_alerts(self, camera: str, *, lost_since_ms: int | None = None) -> list[Alert]:
        return self._store.open_alerts(camera, lost_since_ms=lost_since_ms)

    def cameras_with_open_alerts(self) -> list[str]:
        return self._store.cameras_with_open_alerts()

    def conditions(self, camera: str) -> frozenset[str]:
        return self._store.conditions(camera)

    def touch(self, alerts: Sequence[Alert]) -> None:
        if not self.cut:
            self._store.touch(alerts)

    def count(self, camera: str, at: Moment, seconds: PersonSeconds, heights: Sequence[float]) -> None:
        if not self.cut:
            self._store.count(camera, at, seconds, heights)

    def remember(self, camera: str, at: Moment, detections: Detections) -> None:
        if not self.cut:
            self._store.remember(camera, at, detections)

    def close(self) -> None:
        self._store.close()


class Life:
    """One life of the service: a source and a clock that show the film from one second to another.

    Args:
        boot: seconds that the monotonic clock had run when the film began.
        cut: is set when the film's end is a kill.
    """

    def __init__(self, start: float, end: float, boot: float, cut: Severed | None = None) -> None:
        self._numbers = iter(range(round(start * FPS), round(end * FPS)))
        self._boot = boot
        self._cut = cut
        self._stop = threading.Event()
        self.film = start

    def now(self) -> Moment:
        return Moment(self._boot + self.film, START_MS + round(1000 * self.film))

    def sleep(self, seconds: float) -> None:
        self.film += seconds

    def read(self, wait: float) -> Frame | None:  # noqa: ARG002 - a film keeps nobody waiting
        number = next(self._numbers, None)
        if number is None:
            if self._cut:
                self._cut.cut = True
            self._stop.set()
            return None
        self.film = number / FPS
        return Frame(PICTURE, self.now(), number)

    def close(self) -> None:
        pass

    def see(self, image: object) -> Detections:  # noqa: ARG002 - it knows the film by heart
        return scene(*worker(x=300 + 4 * self.film, helmet="no-helmet" if self.film < EPISODE else "helmet"))

    def watch(self, store: EventStore) -> None:
        detector = FakeDetector(self.see)
        origin = Origin(Scene(camera="gate"))
        try:
            CameraWatch(origin, lambda: self, detector, open_monitor(origin, detector), store, self).run(self._stop)
        finally:
            detector.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the store holds after an episode with a restart in it."""

    kinds: Sequence[str]
    messages: Sequence[str]
    alerts: int


def one_restart(folder: Path, second: int, *, killed: bool, down: float = 3.0) -> Outcome:
    """Watch one episode with a restart at `second`; `folder` holds the store."""
    with Store(folder, ["hook"]) as store:
        severed = Severed(store)
        Life(0, second, 86_400.0, severed if killed else None).watch(severed)
    with Store(folder, ["hook"]) as store:
        Life(second + down, EPISODE + AFTER, 12.0).watch(store)
    with Store(folder, ["hook"]) as store:
        kept = store.alerts()
        histories = [store.alert(alert.id) for alert in kept]
        kinds = [change.kind for history in histories if history for change in history.changes]
        told: list[str] = []
        while due := store.due(sys.maxsize // 2**20):
            told += [delivery.message.type for delivery in due]
            for delivery in due:
                store.delivered(delivery, 0)
    return Outcome(kinds, told, len(kept))


def measure(seconds: int, down: float) -> dict[str, object]:
    began = time.monotonic()
    result: dict[str, object] = {"restarts": 0, "down_s": down}
    for killed in (False, True):
        counts = []
        for second in range(seconds):
            with tempfile.TemporaryDirectory() as folder:
                outcome = one_restart(Path(folder) / "store", second, killed=killed, down=down)
                counts.append(outcome.kinds.count("fired"))
        how = "killed" if killed else "stopped"
        result[f"{how}_at_seconds"] = len(counts)
        result[f"{how}_with_one_alert"] = counts.count(1)
        result[f"{how}_alerts"] = {str(number): counts.count(number) for number in sorted(set(counts))}
    result["restarts"] = 2 * seconds
    result["sound"] = result["stopped_with_one_alert"] == result["killed_with_one_alert"] == seconds
    result["seconds"] = round(time.monotonic() - began, 1)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=EPISODE, help="restart at so many seconds, from 0 on")
    parser.add_argument("--down", type=float, default=3.0, help="seconds without a service")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    configure_logging("error", "console")
    result = measure(options.seconds, options.down)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
