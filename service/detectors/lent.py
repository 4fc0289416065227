"""A detector that several use and one owns."""

from __future__ import annotations

from concurrent.futures import Future

from service.ports import Detector, Image, Model
from service.safety.detections import Detections


class _Lent:
    """A detector that the borrower can't close."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def model(self) -> Model:
        return self._detector.model

    def submit(self, image: Image) -> Future[Detections]:
        return self._detector.submit(image)

    def detect(self, image: Image) -> Detections:
        return self._detector.detect(image)

    def close(self) -> None:
        """Leave it open: others use it still, and its owner closes it."""


def lent(detector: Detector) -> Detector:
    """Return the detector for somebody who closes what they are given while others need it longer."""
    return _Lent(detector)
