"""Cameras: entries of a site file become what watches them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from service.detectors.opening import tiled
from service.detectors.tiled import looks
from service.events import Origin
from service.ports import Clock, Detector, FrameSource
from service.safety.moment import Moment
from service.safety.site import Scene
from service.sitefile import CameraEntry, SiteFile
from service.wiring.judging import open_monitor

if TYPE_CHECKING:
    from service.store.store import Store
    from service.worker.governor import Seat
    from service.worker.health import Health, Pulse
    from service.worker.lookout import Lookout
    from service.worker.witness import Witness


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


class SiteCameras:
    """`upkeep.Cameras`: watches cameras as a site says.

    Args:
        wake: is called after each time that the store took something.
    """

    def __init__(
        self, detector: Detector, store: Store, clock: Clock, wake: Callable[[], None], health: Health
    ) -> None:
        from service.worker.film_writer import FilmWriter
        from service.worker.governor import Governor
        from service.worker.supervisor import Supervisor

        self._detector = detector
        self._store = store
        self._clock = clock
        self._wake = wake
        self._health = health
        self._governor = Governor()
        self.writer = FilmWriter(store, clock)
        self.writer.start()
        self.supervisor = Supervisor({}, died=health.died, stuck=health.stuck)

    def watch(self, site: SiteFile, camera: str) -> None:
        """Watch a camera as a site says; one that is watched is watched anew."""
        from service.worker.shares import Claim

        entry = site.cameras[camera]
        pulse, eyes, seat = self._health.add(camera), tiled(self._detector, entry.tiles), None
        if _is_live(entry):  # a recording is never late: its time waits
            seat = self._governor.seat(camera, Claim(entry.fps, entry.priority, looks(entry.tiles)))
            pulse.seated(seat)
            eyes = seat.measured(eyes)
        else:
            self._governor.leave(camera)
        self.supervisor.take(camera, self._watch(site, camera, eyes, pulse, seat))

    def drop(self, site: SiteFile, camera: str) -> None:
        """Watch a camera no more, and end its open alerts."""
        from service.worker.endings import end_removed

        stopped = self.supervisor.drop(camera)
        self._governor.leave(camera)
        self._health.remove(camera)
        if stopped:  # else they end at the next start
            end_removed(self._store, origin_of(site, camera), self._clock)

    def _watch(
        self, site: SiteFile, camera: str, eyes: Detector, pulse: Pulse, seat: Seat | None
    ) -> Callable[[threading.Event], None]:
        """Return what watches a camera; each call builds its monitor anew (open alerts come back from the store)."""
        from service.cameras.opening import open_source
        from service.worker.clock import FilmClock
        from service.worker.watch import CameraWatch

        entry = site.cameras[camera]
        origin = origin_of(site, camera)
        password = os.environ.get(entry.password_env, "") if entry.password_env else ""

        def run(stop: threading.Event) -> None:
            start_ms = self._clock.now().wall_ms
            # a recording is watched in its own time, as if it began now
            film = None if _is_live(entry) else FilmClock(Moment(0.0, start_ms))

            def opened() -> FrameSource:
                source = open_source(
                    entry.source,
                    fps=entry.fps,
                    clock=self._clock,
                    start_ms=start_ms,
                    user=entry.user or "",
                    password=password,
                )
                return film.by(source) if film else source

            watch = CameraWatch(
                origin, opened, eyes, open_monitor(origin, eyes), self._store, film or self._clock, self._wake
            )
            watch.run(stop, pulse, lookout_of(entry, seat), self._witness(site, camera))

        return run

    def _witness(self, site: SiteFile, camera: str) -> Witness:
        """Return what makes evidence of a camera's frames."""
        from service.worker.clips import Clips
        from service.worker.witness import Witness

        clips = Clips(camera, self.writer) if site.cameras[camera].clip else None
        return Witness(clips, blurred=site.blur_faces)


def lookout_of(entry: CameraEntry, seat: Seat | None = None) -> Lookout:
    """Return what looks at a camera's frames before the detector: of a recording nothing, unless it is asked for."""
    from service.safety.motion import MotionGate
    from service.safety.sight import Sight
    from service.worker.lookout import Lookout

    live = _is_live(entry)
    gated = live if entry.motion_gate is None else entry.motion_gate
    return Lookout(Sight(entry.sight) if live else None, MotionGate() if gated else None, seat)


def _is_live(entry: CameraEntry) -> bool:
    from service.cameras.opening import is_live

    return is_live(entry.source)
