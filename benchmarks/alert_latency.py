"""How long from a violation to its alert, and from its alert to the receiver?

    python -m benchmarks.alert_latency [--episodes 60] [--messages 1000] [--rate 10] [--out FILE]

Violation visible -> alert committed: made films at 5 frames a second go through the real loop, tracker and store. The
violation begins at a random moment between two frames; the film's own time is counted, plus the real time from a
frame's arrival to the commit of what it changed (the detector is made up and takes none). `--episodes` of each kind:
somebody walks in without a vest, or takes it off after ten seconds; seen clearly, or badly (confidences at random,
every tenth frame blind).

Committed -> webhook received: `--messages` alerts with their pictures are recorded at random intervals, `--rate` a
second over four cameras; the real courier signs and posts them to a receiver on this machine, which verifies them.

Prints JSON; exits with 1 when an alert took longer than on_delay + 1 s, or the 99th percentile of delivery 1 s.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import tell
from service.delivery.courier import Courier
from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from service.detectors.fake import FakeDetector
from service.events import Origin, alert_message
from service.pictures.still import jpeg
from service.ports import CameraState, EventStore, Frame, Still
from service.safety.alerts import Alert, AlertChange
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.site import Scene
from service.store.store import Store
from service.telemetry import configure_logging
from service.wiring import open_monitor
from service.worker.clock import SystemClock
from service.worker.watch import CameraWatch
from tests.safety.films import START_MS, worker
from tests.safety.scenes import scene

FPS = 5
APART = 200.0
"""Seconds of film between two episodes, so that nobody is taken for somebody of the last one."""
PICTURE = np.full((360, 640, 3), 90, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of episode: seconds with a vest before it comes off, and how well it is seen."""

    name: str
    worn: float
    clear: bool


KINDS = (
    Kind("walks in, seen clearly", 0.0, True),
    Kind("walks in, seen badly", 0.0, False),
    Kind("takes it off, seen clearly", 10.0, True),
    Kind("takes it off, seen badly", 10.0, False),
)


class Episodes:
    """A source, a clock and an eye for episodes of one kind; measures each until its alert is committed."""

    def __init__(self, kind: Kind, count: int, seed: int) -> None:
        self._kind = kind
        self._random = random.Random(seed)
        self._film = 0.0
        self._arrived = 0.0
        self._begins = 0.0
        self._fired = False
        self._lines = self._played(count)
        self.seconds: list[float] = []

    def now(self) -> Moment:
        return Moment(self._film, START_MS + round(1000 * self._film))

    def sleep(self, seconds: float) -> None:  # noqa: ARG002 - the port's
        raise AssertionError("a film never waits")

    def _played(self, count: int) -> Iterator[Frame]:
        for episode in range(count):
            start = episode * APART
            self._begins = start + self._kind.worn + self._random.uniform(0, 1 / FPS)
            self._fired = False
            for number in range(round((self._kind.worn + 8) * FPS)):
                self._film = start + number / FPS
                self._arrived = time.perf_counter()
                yield Frame(PICTURE, self.now(), number)
                if self._fired:
                    break

    def read(self, wait: float) -> Frame | CameraState:  # noqa: ARG002 - a film keeps nobody waiting
        return next(self._lines, None) or CameraState("ended", self.now())

    def close(self) -> None:
        pass

    def see(self, image: object) -> Detections:  # noqa: ARG002 - it knows the film by heart
        bare = self._film >= self._begins
        if not bare and self._kind.worn == 0:
            return scene()
        person, head, torso = worker(vest="no-vest" if bare else "vest")
        if self._kind.clear:
            return scene(person, head, torso)
        if self._random.random() < 0.1:
            return scene(person)
        return scene(person, head, (torso[0], self._random.uniform(0.4, 0.95), torso[2]))

    def committed(self) -> None:
        if not self._fired and self._film >= self._begins:
            self._fired = True
            self.seconds.append(self._film - self._begins + time.perf_counter() - self._arrived)


def to_commit(kind: Kind, episodes: int, store: EventStore, seed: int) -> list[float]:
    """Return the seconds of each episode from its beginning to its committed alert."""
    played = Episodes(kind, episodes, seed)
    detector = FakeDetector(played.see)
    origin = Origin(Scene(camera=f"camera-{seed}"))
    try:
        CameraWatch(
            origin, lambda: played, detector, open_monitor(origin, detector), store, played, played.committed
        ).run(threading.Event())
    finally:
        detector.close()
    if len(played.seconds) != episodes:
        raise RuntimeError(f"{kind.name}: {len(played.seconds)} alerts of {episodes} episodes")
    return played.seconds


@contextmanager
def receiving(secret: str, arrived: dict[str, float]) -> Iterator[Receiver]:
    def tell(arrival: Arrival) -> None:
        if arrival.status == 200:
            arrived.setdefault(arrival.id, time.perf_counter())

    receiver = Receiver(secret, 0, tell)
    thread = threading.Thread(target=receiver.run)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stop()
        thread.join()
        receiver.close()


def to_receiver(messages: int, rate: float, folder: Path) -> list[float]:
    """Return the seconds of each message from its commit to its arrival."""
    secret, clock, chance = new_secret(), SystemClock(), random.Random(1)
    arrived: dict[str, float] = {}
    committed: dict[str, float] = {}
    picture = jpeg(np.random.default_rng(1).integers(0, 255, (360, 640, 3), dtype=np.uint8))
    with receiving(secret, arrived) as receiver, Store(folder, ["hook"]) as store:
        sender = WebhookSender(f"http://127.0.0.1:{receiver.port}/", secret, clock, lan=True)
        courier = Courier(store, {"hook": sender}, clock)
        stop = threading.Event()
        thread = threading.Thread(target=courier.run, args=(stop,))
        thread.start()
        for number in range(messages):
            change = _change(number, clock.now())
            origin = Origin(Scene(camera=change.alert.camera))
            message = alert_message(change, origin, 640, 360)
            stills = [Still(change.alert.id, kind, picture) for kind in ("annotated", "clean", "crop")]
            store.record([change], stills, [message])
            committed[message.id] = time.perf_counter()
            courier.wake()
            time.sleep(chance.expovariate(rate))
        ends = time.monotonic() + 60
        while len(arrived) < messages and time.monotonic() < ends:
            time.sleep(0.05)
        stop.set()
        thread.join()
        sender.close()
    if arrived.keys() != committed.keys():
        raise RuntimeError(f"{len(arrived)} messages of {messages} arrived")
    return [arrived[name] - committed[name] for name in committed]


def _change(number: int, at: Moment) -> AlertChange:
    alert = Alert(
        id=f"{number:016x}",
        camera=f"camera-{number % 4}",
        person=f"p{number}",
        zone="whole-picture",
        equipment="helmet",
        severity="high",
        since=at,
        fired=at,
        seen=at,
        box=(100.0, 50.0, 200.0, 350.0),
    )
    return AlertChange("fired", alert, at)


def spread(seconds: list[float]) -> dict[str, float]:
    """Return the fewest, the median, the 99th percentile and the most."""
    ordered = sorted(seconds)
    return {
        "min": round(ordered[0], 3),
        "median": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 3),
        "max": round(ordered[-1], 3),
    }


def measure(episodes: int, messages: int, rate: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        with Store(Path(folder) / "episodes", ["hook"]) as store:
            kinds = {kind.name: to_commit(kind, episodes, store, seed) for seed, kind in enumerate(KINDS)}
        delivered = to_receiver(messages, rate, Path(folder) / "messages")
    allowed = Scene(camera="a").policy.on_delay + 1
    all_seconds = [one for seconds in kinds.values() for one in seconds]
    return {
        "visible_to_committed_s": {
            "episodes": len(all_seconds),
            "fps": FPS,
            "allowed": allowed,
            **spread(all_seconds),
            "late": sum(one > allowed for one in all_seconds),
            "kinds": {name: spread(seconds) for name, seconds in kinds.items()},
        },
        "committed_to_received_s": {
            "messages": len(delivered),
            "a_second": rate,
            "allowed_p99": 1.0,
            **spread(delivered),
        },
        "sound": max(all_seconds) <= allowed and spread(delivered)["p99"] < 1,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=60, help="of each of the four kinds")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    configure_logging("error", "console")
    result = measure(options.episodes, options.messages, options.rate)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
