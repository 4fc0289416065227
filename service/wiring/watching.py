"""The composition root: settings and a site file become objects. The only file that knows every room."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog
from fastapi import FastAPI

from service.detectors.opening import tiled
from service.events import Origin
from service.pictures.decode import PictureLimits
from service.ports import Clock, Detector, Endpoint, EventStore, FrameSource, Sender
from service.safety.moment import Moment
from service.safety.monitor import Monitor
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from service.settings import Settings
from service.sitefile import CameraEntry, SiteFile

if TYPE_CHECKING:
    from service.api.desk import Desk
    from service.api.gate import Access
    from service.delivery.courier import Courier
    from service.store.keys import Keys
    from service.store.retention import Limits
    from service.store.store import Store
    from service.worker.film import Watched
    from service.worker.health import Pulse
    from service.worker.lookout import Lookout
    from service.worker.supervisor import Supervisor

# Rooms are imported where they are needed: who serves pictures only must not pay for cameras, store and delivery.


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


class WiringError(Exception):
    """A site can't be started as it is configured; one sentence."""


def bad_sources(site: SiteFile) -> list[str]:
    """Return what is wrong with the cameras' sources, a sentence each; a camera that is only absent is no mistake."""
    from service.cameras.opening import source_fault

    faults = ((camera, source_fault(entry.source)) for camera, entry in site.cameras.items())
    return [f"cameras.{camera}.source: {fault}" for camera, fault in faults if fault]


class Running(NamedTuple):
    """What watches a site's cameras, and what the API asks of it."""

    supervisor: Supervisor
    desk: Desk
    keys: Keys

    def wait(self, seconds: float) -> bool:
        """Wait for all watches to end by themselves (recordings do); return whether they have."""
        return self.supervisor.wait(seconds)


def limits(settings: Settings) -> Limits:
    """Return how much the store keeps."""
    from service.store.retention import Limits

    return Limits(
        evidence_days=settings.evidence_days,
        evidence_bytes=round(settings.evidence_gib * 2**30),
        free_bytes=round(settings.evidence_free_gib * 2**30),
        alert_days=settings.alert_days,
    )


@contextmanager
def watching(site: SiteFile, settings: Settings, detector: Detector) -> Iterator[Running]:
    """Watch a site's cameras and deliver its alerts while the context lasts; leaving it drains both.

    Open alerts of cameras that the site has no more end first.

    Raises:
        WiringError: a source is none, the detector fails, the store is in use or damaged, or an endpoint or its secret
            can't be used.
    """
    from service.api.desk import Desk
    from service.delivery.courier import Courier
    from service.store.errors import StoreError
    from service.store.store import Store
    from service.worker.clock import SystemClock
    from service.worker.endings import end_unwatched
    from service.worker.health import Health
    from service.worker.supervisor import Supervisor

    if faults := bad_sources(site):
        raise WiringError("; ".join(faults))
    clock = SystemClock()
    senders = _senders(site, clock)
    _probe(detector)
    with ExitStack() as stack:
        try:
            store = Store(settings.store, _endpoints(site), clock=clock, limits=limits(settings))
        except StoreError as error:
            raise WiringError(str(error)) from error
        stack.callback(_close_store, store)
        origins = {camera: _origin(site, camera) for camera in site.cameras}
        end_unwatched(store, site.cameras, lambda camera: _origin(site, camera), clock)
        courier = Courier(store, senders, clock)
        stack.enter_context(_delivering(courier))
        health = Health(site.cameras, clock)
        pulses = {camera: health.pulse(camera) for camera in site.cameras}
        watches = {one: _watch(site, one, detector, store, clock, courier.wake, pulses[one]) for one in pulses}
        supervisor = Supervisor(watches, died=health.died)
        supervisor.start()
        stack.callback(supervisor.stop)
        desk = Desk(store, health, lambda camera: origins.get(camera) or _origin(site, camera), clock)
        yield Running(supervisor, desk, store.keys)


def _probe(detector: Detector) -> None:
    """Have the detector look at a grey picture: one that never answers is a mistake to tell now, not at every frame."""
    try:
        detector.detect(np.full((360, 640, 3), 127, dtype=np.uint8))
    except Exception as error:
        name = f"{detector.model.name} {detector.model.version}"
        raise WiringError(
            f"the detector {name} fails on a grey picture, so that no camera would be watched "
            f"({type(error).__name__}: {error}); try other weights, device or precision"
        ) from error


def _origin(site: SiteFile, camera: str) -> Origin:
    """Say in words where a camera is; of one that the site has no more, where it was: zones are called by their ids."""
    if camera in site.cameras:
        return Origin(site.scene(camera), site.cameras[camera].name, site.name)
    return Origin(Scene(camera=camera, time_zone=site.time_zone), site=site.name)


def _close_store(store: Store) -> None:
    from service.store.errors import StoreError

    try:
        store.close()
    except StoreError as error:  # it is closed all the same; what was buffered of the statistics is lost
        structlog.get_logger("store").error("store.close", fault=str(error))


def _watch(
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
    origin = _origin(site, camera)
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
        watch.run(stop, pulse, _lookout(entry))

    return run


def _lookout(entry: CameraEntry) -> Lookout:
    """Return what looks at a camera's frames before the detector: of a recording nothing, unless it is asked for."""
    from service.cameras.opening import is_live
    from service.safety.motion import MotionGate
    from service.safety.sight import Sight
    from service.worker.lookout import Lookout

    live = is_live(entry.source)
    gated = live if entry.motion_gate is None else entry.motion_gate
    return Lookout(Sight(entry.sight) if live else None, MotionGate() if gated else None)


def _endpoints(site: SiteFile) -> list[Endpoint]:
    """Return who is told, and of what."""
    return [Endpoint(name, entry.address, site.wants(name)) for name, entry in site.receivers.items()]


def _senders(site: SiteFile, clock: Clock) -> dict[str, Sender]:
    """Return who sends to each endpoint: nobody when the site is only observed."""
    from service.delivery.webhook import WebhookSender

    senders: dict[str, Sender] = {}
    for name, endpoint in site.receivers.items():
        try:
            secrets = [os.environ.get(variable, "") for variable in endpoint.secrets_env]
            senders[name] = WebhookSender(endpoint.url, secrets, clock, lan=endpoint.lan)
        except ValueError as error:
            raise WiringError(f"endpoint {name}: {error}") from error
    return senders


@contextmanager
def _delivering(courier: Courier) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=courier.run, args=(stop,), name="courier", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
