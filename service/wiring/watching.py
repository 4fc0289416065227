"""A site is watched: its store, courier, cameras and what the API asks of them, for as long as a context lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog

from service.ports import Detector
from service.settings import Settings
from service.sitefile import SiteFile
from service.wiring.cameras import bad_sources, origin_of, watch_of
from service.wiring.faults import WiringError
from service.wiring.telling import endpoints_of, senders_of

if TYPE_CHECKING:
    from service.api.desk import Desk
    from service.delivery.courier import Courier
    from service.store.keys import Keys
    from service.store.retention import Limits
    from service.store.store import Store
    from service.worker.supervisor import Supervisor


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
    senders = senders_of(site, clock)
    _probe(detector)
    with ExitStack() as stack:
        try:
            store = Store(settings.store, endpoints_of(site), clock=clock, limits=limits(settings))
        except StoreError as error:
            raise WiringError(str(error)) from error
        stack.callback(_close_store, store)
        origins = {camera: origin_of(site, camera) for camera in site.cameras}
        end_unwatched(store, site.cameras, lambda camera: origin_of(site, camera), clock)
        courier = Courier(store, senders, clock)
        stack.enter_context(_delivering(courier))
        health = Health(site.cameras, clock)
        pulses = {camera: health.pulse(camera) for camera in site.cameras}
        watches = {one: watch_of(site, one, detector, store, clock, courier.wake, pulses[one]) for one in pulses}
        supervisor = Supervisor(watches, died=health.died)
        supervisor.start()
        stack.callback(supervisor.stop)
        desk = Desk(store, health, lambda camera: origins.get(camera) or origin_of(site, camera), clock)
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


def _close_store(store: Store) -> None:
    from service.store.errors import StoreError

    try:
        store.close()
    except StoreError as error:  # it is closed all the same; what was buffered of the statistics is lost
        structlog.get_logger("store").error("store.close", fault=str(error))


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
