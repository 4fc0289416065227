"""Cameras: entries of a site file become what watches them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from service.detectors.opening import tiled
from service.events import Origin
from service.ports import Clock, Detector, EventStore, FrameSource
from service.safety.moment import Moment
from service.safety.site import Scene
from service.sitefile import CameraEntry, SiteFile
from service.wiring.judging import open_monitor

if TYPE_CHECKING:
    from service.worker.health import Pulse
    from service.worker.lookout import Lookout


def bad_sources(site: SiteFile) -> list[str]:
    """Return what is wrong with the cameras' sources, a sentence each; a camera that is only absent is no mistake."""
    from service.cameras.opening import source_fault

    faults = ((camera, source_fault(entry.source)) for camera, entry in site.cameras.items())
    return [f"cameras.{camera}.source: {fault}" for camera, fault in faults if fault]


def origin_of(site: SiteFile, camera: str) -> Origin:
    """Say in words where a camera is; of one that the site has no more, where it was: zones are called by their ids."""
    if camera in site.cameras:
        return Origin(site.scene(camera), site.cameras[camera].name, site.name)
    return Origin(Scene(camera=camera, time_zone=site.time_zone), site=site.name)


def watch_of(
    site: SiteFile,
    camera: str,
    detector: Detector,
    store: EventStore,
    clock: Clock,
    wake: Callable[[], None],
    pulse: Pulse,
) -> Callable[[threading.Event], None]:
    """Return what watches one camera; each call builds its monitor anew (the open alerts come back from the store)."""
    from service.cameras.opening import is_live, open_source
    from service.worker.clock import FilmClock
    from service.worker.watch import CameraWatch

    entry = site.cameras[camera]
    origin = origin_of(site, camera)
    password = os.environ.get(entry.password_env, "") if entry.password_env else ""
    eyes = tiled(detector, entry.tiles)

    def run(stop: threading.Event) -> None:
        start_ms = clock.now().wall_ms
        # a recording is watched in its own time, as if it began now
        film = None if is_live(entry.source) else FilmClock(Moment(0.0, start_ms))

        def opened() -> FrameSource:
            source = open_source(
                entry.source, fps=entry.fps, clock=clock, start_ms=start_ms, user=entry.user or "", password=password
            )
            return film.by(source) if film else source

        watch = CameraWatch(origin, opened, eyes, open_monitor(origin, eyes), store, film or clock, wake)
        watch.run(stop, pulse, lookout_of(entry))

    return run


def lookout_of(entry: CameraEntry) -> Lookout:
    """Return what looks at a camera's frames before the detector: of a recording nothing, unless it is asked for."""
    from service.cameras.opening import is_live
    from service.safety.motion import MotionGate
    from service.safety.sight import Sight
    from service.worker.lookout import Lookout

    live = is_live(entry.source)
    gated = live if entry.motion_gate is None else entry.motion_gate
    return Lookout(Sight(entry.sight) if live else None, MotionGate() if gated else None)
