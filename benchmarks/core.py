"""One life of the core, without camera and model: store, watch and courier on a made film, telling what it committed.

A worker stands without a helmet for 5 s of each 16 s of film: an episode, which is to be one alert. The film goes on
from one life to the next; its time runs faster than the machine's. Lines that are said, as JSON:

    {"at": FRAME}  {"asked": [ALERTS], "messages": [IDS]}  {"committed": [ALERTS], "messages": [IDS]}

`asked` are the alerts that fired when the watch first hands them to the store, `committed` those that the store took.

    python -m benchmarks.core FOLDER PORT FIRST_FRAME FRAMES_A_SECOND     (the endpoint's secret is in CORE_SECRET)
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from service.delivery.courier import Courier
from service.delivery.webhook import WebhookSender
from service.detectors.fake import FakeDetector
from service.events import Origin
from service.ports import Frame, Message, Still
from service.safety.alerts import AlertChange
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

FPS, PERIOD, BARE = 5, 16.0, 5.0
ENDPOINT = "hook"
PICTURE = np.full((180, 320, 3), 90, dtype=np.uint8)

Say = Callable[[dict[str, object]], None]


def episode_of(since_ms: int) -> int:
    """Return the number of the episode that an alert tells of."""
    return int((since_ms - START_MS) / 1000 // PERIOD)


class Telling:
    """The store of a life; says what is asked of it and what it took."""

    def __init__(self, store: Store, say: Say) -> None:
        self._store = store
        self._say = say
        self._asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
        fired = [change.alert.id for change in changes if change.kind == "fired"]
        told = [message.id for message in messages]
        if told and told[0] not in self._asked:
            self._asked.update(told)
            self._say({"asked": fired, "messages": told})
        self._store.record(changes, stills, messages, clips)
        self._say({"committed": fired, "messages": told})


class Film:
    """The camera and its clock: frames from `first` on, for ever.

    Args:
        rate: frames a second of the machine's time; 0 is as fast as they are taken.
    """

    def __init__(self, first: int, rate: float, say: Say) -> None:
        self._number = first
        self._rate = rate
        self._say = say
        self._due = time.monotonic()

    def now(self) -> Moment:
        seconds = self._number / FPS
        return Moment(seconds, START_MS + round(1000 * seconds))

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def read(self, wait: float) -> Frame:  # noqa: ARG002 - a film keeps nobody waiting
        self._number += 1
        if self._rate:
            self._due += 1 / self._rate
            time.sleep(max(0.0, self._due - time.monotonic()))
        self._say({"at": self._number})
        return Frame(PICTURE, self.now(), self._number)

    def close(self) -> None:
        pass

    def see(self, image: object) -> Detections:  # noqa: ARG002 - it knows the film by heart
        bare = self._number / FPS % PERIOD < BARE
        return scene(*worker(x=60, y=20, helmet="no-helmet" if bare else "helmet"), width=320, height=180)


def live(folder: Path, port: int, secret: str, first: int, say: Say, rate: float = 0.0) -> None:
    """Live until killed."""
    clock, film = SystemClock(), Film(first, rate, say)
    store = Store(folder, [ENDPOINT])
    courier = Courier(store, {ENDPOINT: WebhookSender(f"http://127.0.0.1:{port}/", secret, clock, lan=True)}, clock)
    threading.Thread(target=courier.run, args=(threading.Event(),), daemon=True).start()
    detector = FakeDetector(film.see)
    origin = Origin(Scene(camera="gate"))
    monitor = open_monitor(origin, detector)
    watch = CameraWatch(origin, lambda: film, detector, monitor, Telling(store, say), film, courier.wake)  # type: ignore[arg-type]
    watch.run(threading.Event())


def main() -> None:
    folder, port, first, rate = sys.argv[1:]
    configure_logging("warning", "json")

    def say(line: dict[str, object]) -> None:
        print(json.dumps(line), flush=True)

    live(Path(folder), int(port), os.environ["CORE_SECRET"], int(first), say, float(rate))


if __name__ == "__main__":
    main()
