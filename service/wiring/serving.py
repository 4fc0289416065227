"""The HTTP side: settings become the application that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from service.detectors.opening import tiled
from service.pictures.decode import PictureLimits
from service.ports import Detector
from service.settings import Settings

if TYPE_CHECKING:
    from service.api.desk import Desk
    from service.api.gate import Access


def picture_limits(settings: Settings) -> PictureLimits:
    """Return what one picture may cost."""
    return PictureLimits(
        bytes=settings.max_image_bytes,
        pixels=settings.max_image_pixels,
        longest_side=settings.max_image_side,
        aspect=settings.max_image_aspect,
    )


def open_app(settings: Settings, detector: Detector, access: Access, desk: Desk | None = None) -> FastAPI:
    """Build the HTTP application around a detector, which it closes at its end; `desk` is of what is watched."""
    from service.api.app import Load, build_app

    load = Load(
        body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        images=settings.max_images,
        at_once=settings.detect_at_once,
        queue=settings.detect_queue,
    )
    return build_app(tiled(detector, settings.tiles), picture_limits(settings), load, access, desk)
