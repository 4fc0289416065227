"""The service's own watching in this process, with what it judged when, and what that cost, kept for figures."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.clips import CAMERA, NUMBERS, number_of
from service.health import CameraReport
from service.metrics import CameraMetrics, Metrics
from service.ports import Detector, Image, Model
from service.safety.detections import Detections
from service.settings import Settings
from service.sitefile import read_site
from service.wiring import watching


class Kept(Metrics):
    """What was judged: by camera, (seconds on the monotonic clock, age of the frame in seconds).

    Attributes:
        judged: by the detector; `passed`: as the last judged one, by the motion gate.
    """

    def __init__(self) -> None:
        super().__init__()
        self.judged: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.passed: dict[str, list[float]] = defaultdict(list)
        self.reports: Callable[[], list[CameraReport]] = list

    def camera(self, camera: str) -> CameraMetrics:
        return _Noted(super().camera(camera), self, camera)  # type: ignore[return-value]

    def ages(self, begins: float, ends: float) -> list[float]:
        """Return the ages of all cameras' judged frames between two moments."""
        return [age for one in self.judged.values() for at, age in one if begins <= at < ends]

    def counted(self, begins: float, ends: float) -> dict[str, int]:
        """Return how many frames of each camera were judged between two moments, by detector or gate."""
        names = sorted(self.judged.keys() | self.passed.keys())
        return {
            name: sum(begins <= at < ends for at, _ in self.judged[name])
            + sum(begins <= at < ends for at in self.passed[name])
            for name in names
        }


class _Noted:
    def __init__(self, metrics: CameraMetrics, kept: Kept, camera: str) -> None:
        self._metrics, self._kept, self._camera = metrics, kept, camera

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metrics, name)

    def judged(self, age: float) -> None:
        self._kept.judged[self._camera].append((time.monotonic(), age))
        self._metrics.judged(age)

    def skipped(self, reason: Any) -> None:
        if reason == "still":
            self._kept.passed[self._camera].append(time.monotonic())
        self._metrics.skipped(reason)


class Reading:
    """A detector that notes, of each picture that it has answered, when, and the number that is drawn into it."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.numbers: list[tuple[float, int]] = []

    @property
    def model(self) -> Model:
        return self._detector.model

    def submit(self, image: Image) -> Future[Detections]:
        number = number_of(image)
        future = self._detector.submit(image)
        future.add_done_callback(lambda _: self.numbers.append((time.monotonic(), number)))
        return future

    def detect(self, image: Image) -> Detections:
        return self.submit(image).result()

    def close(self) -> None:
        self._detector.close()


@contextmanager
def watched_site(urls: Sequence[str], detector: Detector, folder: Path, fps: float = 5.0) -> Iterator[Kept]:
    """Watch cameras with everything the service does, telling nobody."""
    lines = "".join(f"  camera-{number}:\n    source: {url}\n    fps: {fps:g}\n" for number, url in enumerate(urls))
    path = folder / "site.yaml"
    path.write_text(f"mode: observe\ncameras:\n{lines}", encoding="utf-8")
    kept = Kept()
    with watching(read_site(path), Settings(store=folder / "store"), detector, metrics=kept) as running:
        kept.reports = running.desk.health.reports
        yield kept


def settled(kept: Kept, cameras: int, within: float = 240.0) -> float:
    """Wait until every camera is judged as often as it is asked for; return the seconds, or all of `within`.

    While a model is compiled its answers are slow, and cameras are judged less often for a while after it.
    """
    began = time.monotonic()

    def all_judged() -> bool:
        there = sum(bool(many) for many in kept.counted(0, time.monotonic()).values()) == cameras
        return there and all(one.reduced_to is None for one in kept.reports())

    awaited(all_judged, within)
    return time.monotonic() - began


def awaited(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true; return whether it was in time."""
    ends = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < ends:
        time.sleep(0.1)
    return held


def cpu() -> tuple[float, float]:
    """Return CPU seconds of this process with its decoders, and of the decoders alone."""
    own = sum(os.times()[:2])
    decoders = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            if "service.cameras.decoder" in child.cmdline():
                decoders += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return own + decoders, decoders


def percentiles(ages: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and the worst, in seconds."""
    if len(ages) < 2:
        return {}
    p50, p95 = np.percentile(ages, (50, 95))
    return {"p50_s": round(float(p50), 3), "p95_s": round(float(p95), 3), "worst_s": round(max(ages), 3)}


def behind(numbers: Sequence[tuple[float, int]], fps: float) -> list[float]:
    """Return how much later each numbered picture was answered than the quickest of its camera, in seconds.

    A camera sends picture n every NUMBERS / fps seconds; ages up to half of that are told apart.
    """
    period, found = NUMBERS / fps, []
    by_camera: dict[int, list[float]] = defaultdict(list)
    for at, number in numbers:
        camera, index = divmod(number, CAMERA)
        by_camera[camera].append(at - index / fps)
    for phases in by_camera.values():
        offsets = [(phase - phases[0] + period / 2) % period - period / 2 for phase in phases]
        found += [offset - min(offsets) for offset in offsets]
    return found
