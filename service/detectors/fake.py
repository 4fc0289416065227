"""A detector that ships for tests and try-outs: it answers what it is told, without weights or an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from service.ports import DetectorClosed, Image, Model
from service.safety.detections import Detections, empty
from service.safety.thresholds import Thresholds


class FakeDetector:
    """`ports.Detector` that calls a function of the picture.

    Args:
        see: what it sees on a picture; without it, nothing.
        thresholds: what its model's manifest would say.
    """

    def __init__(
        self, see: Callable[[Image], Detections] | None = None, *, thresholds: Thresholds | None = None
    ) -> None:
        self._see = see or (lambda image: empty(image.shape[1], image.shape[0]))
        self._model = Model(name="fake", version="1", sha256="0" * 64, thresholds=thresholds or Thresholds())
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fake-detect")
        self._lock = threading.Lock()
        self.seen: list[tuple[int, int]] = []

    @property
    def model(self) -> Model:
        """What it pretends to run."""
        return self._model

    def submit(self, image: Image) -> Future[Detections]:
        """Answer on another thread, as a real detector does."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"expected a (height, width, 3) uint8 picture, got {image.shape} {image.dtype}")
        with self._lock:
            self.seen.append((image.shape[1], image.shape[0]))
        try:
            return self._worker.submit(self._see, image)
        except RuntimeError as error:
            raise DetectorClosed("this detector was closed") from error

    def detect(self, image: Image) -> Detections:
        """Answer and wait for it."""
        return self.submit(image).result()

    def close(self) -> None:
        """Finish, then refuse."""
        self._worker.shutdown(wait=True)
