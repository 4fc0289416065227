"""The composition root: settings become objects. The only file that knows every room."""

from __future__ import annotations

from fastapi import FastAPI

from service.detectors.manifest import read_weights
from service.pictures.decode import PictureLimits
from service.ports import Detector
from service.settings import Settings


def open_detector(settings: Settings) -> Detector:
    """Open the detector that the settings ask for.

    Raises:
        WeightsError: its weights are missing, damaged, or can't serve the rules.
    """
    if settings.detector == "ultralytics":
        from service.detectors.ultralytics import UltralyticsDetector  # torch is heavy: only when asked for

        return UltralyticsDetector(read_weights(settings.weights, "pt"), device=settings.device)
    from service.detectors.openvino import OpenVinoDetector

    return OpenVinoDetector(
        read_weights(settings.weights, "onnx"),
        device=settings.device or "CPU",
        precision=settings.precision,
        threads=settings.threads,
        streams=settings.streams,
    )


def picture_limits(settings: Settings) -> PictureLimits:
    """Return what one picture may cost."""
    return PictureLimits(
        bytes=settings.max_image_bytes,
        pixels=settings.max_image_pixels,
        longest_side=settings.max_image_side,
        aspect=settings.max_image_aspect,
    )


def open_app(settings: Settings, detector: Detector) -> FastAPI:
    """Build the HTTP application around a detector; it closes the detector when it shuts down."""
    from service.api.app import build_app

    return build_app(
        detector,
        picture_limits(settings),
        max_body_bytes=settings.max_body_bytes,
        max_images=settings.max_images,
    )
