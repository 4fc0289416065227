"""Monitors, and recorded films judged in their own time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.events import Origin
from service.ports import Detector
from service.safety.monitor import Monitor
from service.safety.thresholds import Thresholds

if TYPE_CHECKING:
    from service.worker.film import Watched


def open_monitor(origin: Origin, detector: Detector) -> Monitor:
    """Build the monitor of one camera."""
    return open_replay(origin, detector.model.thresholds)


def open_replay(origin: Origin, thresholds: Thresholds) -> Monitor:
    """Build a monitor for recorded detections, which bring their thresholds with them."""
    from service.tracking.bytetrack import ByteTrack

    return Monitor(origin.scene, thresholds, ByteTrack())


class FilmError(Exception):
    """A recorded source can't be judged, or broke off; one sentence."""


def judge_film(source: str, origin: Origin, detector: Detector, fps: float, start_ms: int) -> Iterator[Watched]:
    """Judge a recorded film or a folder of pictures in its own time, to its end.

    Raises:
        FilmError: it can't be opened, is no recording, or broke off; or the detector fails.
    """
    from service.cameras.address import SourceError
    from service.cameras.opening import is_live, open_source
    from service.worker.clock import SystemClock
    from service.worker.film import DetectorFails, EndedEarly, watched

    try:
        if is_live(source):
            raise FilmError(
                "--source judges recordings; a live camera belongs into a site file (one line: gate: rtsp://...)"
            )
        opened = open_source(source, fps=fps, clock=SystemClock(), start_ms=start_ms)
    except SourceError as error:
        raise FilmError(error.detail) from error
    try:
        yield from watched(opened, detector, open_monitor(origin, detector), origin)
    except (EndedEarly, DetectorFails) as error:
        raise FilmError(f"{source}: {error}") from error
    finally:
        opened.close()
