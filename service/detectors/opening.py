"""From settings to a detector; an engine is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from service.detectors.manifest import read_weights
from service.detectors.second_look import SIZE, SecondLook
from service.detectors.tiled import Tiled
from service.ports import Detector
from service.settings import Settings

Passed = Callable[[float], None]
"""Is told of each pass of the model, with its seconds."""


def open_detector(settings: Settings, passed: Passed = lambda _: None) -> Detector:
    """Open the detector that the settings ask for.

    Raises:
        WeightsError: its weights are missing, damaged, or can't serve the rules.
    """
    whole, closer = (_ultralytics if settings.detector == "ultralytics" else _openvino)(settings, passed)
    if not settings.second_look:
        return whole
    return SecondLook(whole, closer(), most=settings.second_look, streams=settings.streams)


def tiled(detector: Detector, across: int) -> Detector:
    """Return the detector, or one that looks at tiles besides the whole; closing that closes the detector."""
    if across <= 1:
        return detector
    return Tiled(detector, across=across)


def _ultralytics(settings: Settings, passed: Passed) -> tuple[Detector, Callable[[], Detector]]:
    from service.detectors.ultralytics import UltralyticsDetector

    weights = read_weights(settings.weights, "pt")
    whole = UltralyticsDetector(weights, device=settings.device, passed=passed)
    return whole, lambda: UltralyticsDetector(weights, device=settings.device, size=SIZE, passed=passed)


def _openvino(settings: Settings, passed: Passed) -> tuple[Detector, Callable[[], Detector]]:
    from service.detectors.openvino import OpenVinoDetector

    whole = OpenVinoDetector(
        read_weights(settings.weights, "onnx"),
        device=settings.device or "CPU",
        precision=settings.precision,
        threads=settings.threads,
        streams=settings.streams,
        passed=passed,
    )
    return whole, lambda: whole.with_inputs((SIZE, SIZE))
