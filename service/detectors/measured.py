"""A detector whose answers are counted and timed."""

from __future__ import annotations

import time
from concurrent.futures import Future

from service.metrics import Metrics
from service.ports import Detector, Image, Model
from service.safety.detections import Detections


class Measured:
    """`ports.Detector` that counts and times another one's answers, which it owns.

    Args:
        detector: looks at the pictures.
        metrics: is told.
    """

    def __init__(self, detector: Detector, metrics: Metrics) -> None:
        self._detector = detector
        self._metrics = metrics

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._detector.model

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image` ((h, w, 3) uint8 BGR)."""
        began = time.perf_counter()
        look = self._detector.submit(image)
        self._metrics.detecting.inc()
        look.add_done_callback(lambda done: self._answered(done, time.perf_counter() - began))
        return look

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish what runs, then refuse."""
        self._detector.close()

    def _answered(self, look: Future[Detections], seconds: float) -> None:
        self._metrics.detecting.dec()
        self._metrics.detected(seconds, failed=look.cancelled() or look.exception() is not None)
