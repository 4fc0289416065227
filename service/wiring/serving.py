"""The HTTP side: settings become the application that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI

from service.detectors.opening import tiled
from service.pictures.decode import PictureLimits
from service.ports import Detector
from service.settings import Settings

if TYPE_CHECKING:
    from service.api.desk import Desk
    from service.api.gate import Access
    from service.metrics import Metrics


def picture_limits(settings: Settings) -> PictureLimits:
    """Return what one picture may cost."""
    return PictureLimits(
        bytes=settings.max_image_bytes,
        pixels=settings.max_image_pixels,
        longest_side=settings.max_image_side,
        aspect=settings.max_image_aspect,
    )


def open_app(
    settings: Settings,
    detector: Detector,
    access: Access,
    desk: Desk | None = None,
    metrics: Metrics | None = None,
    fault: Callable[[], str] = lambda: "",
) -> FastAPI:
    """Build the HTTP application around a detector, which it closes at its end.

    Args:
        desk: of what is watched.
        metrics: the instruments that what is watched uses as well.
        fault: says what was wrong at the detector's last self-test.
    """
    from service.api.app import Load, build_app
    from service.ui.screen import screen

    load = Load(
        body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        images=settings.max_images,
        at_once=settings.detect_at_once,
        queue=settings.detect_queue,
        listeners=settings.event_listeners,
    )
    app = build_app(tiled(detector, settings.tiles), picture_limits(settings), load, access, desk, metrics, fault)
    app.include_router(screen(watching=desk is not None))
    return app
