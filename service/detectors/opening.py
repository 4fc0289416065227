"""From settings to a detector; an engine is imported only when it is asked for."""

from __future__ import annotations

from service.detectors.manifest import read_weights
from service.detectors.second_look import SIZE, SecondLook
from service.detectors.tiled import Tiled
from service.ports import Detector
from service.settings import Settings


def open_detector(settings: Settings) -> Detector:
    """Open the detector that the settings ask for.

    Raises:
        WeightsError: its weights are missing, damaged, or can't serve the rules.
    """
    whole = _open_engine(settings)
    if not settings.second_look:
        return whole
    return SecondLook(whole, _open_engine(settings, SIZE), most=settings.second_look, streams=settings.streams)


def tiled(detector: Detector, across: int) -> Detector:
    """Return the detector, or one that looks at tiles besides the whole; closing that closes the detector."""
    if across <= 1:
        return detector
    return Tiled(detector, across=across)


def _open_engine(settings: Settings, size: int | None = None) -> Detector:
    """Open a detector for whole pictures, or one for parts of them whose input is a square of `size` pixels."""
    if settings.detector == "ultralytics":
        from service.detectors.ultralytics import IMAGE_SIZE, UltralyticsDetector

        weights = read_weights(settings.weights, "pt")
        return UltralyticsDetector(weights, device=settings.device, size=size or IMAGE_SIZE)
    from service.detectors.openvino import OpenVinoDetector

    return OpenVinoDetector(
        read_weights(settings.weights, "onnx"),
        device=settings.device or "CPU",
        precision=settings.precision,
        threads=settings.threads,
        streams=settings.streams,
        shapes=((size, size),) if size else (),
    )
