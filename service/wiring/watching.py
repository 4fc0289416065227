"""A site is watched: its store, courier, cameras and what the API asks of them, for as long as a context lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog

from service.ports import Detector
from service.settings import Settings
from service.sitefile import SiteFile
from service.wiring.broker import automation_of
from service.wiring.cameras import SiteCameras, bad_sources, origin_of
from service.wiring.faults import WiringError
from service.wiring.people import people_of
from service.wiring.telling import endpoints_of, senders_of
from service.wiring.upkeep import LiveSite

if TYPE_CHECKING:
    from service.api.desk import Desk
    from service.delivery.courier import Courier
    from service.metrics import Metrics
    from service.store.keys import Keys
    from service.store.retention import Limits
    from service.store.store import Store
    from service.worker.supervisor import Supervisor


class Running(NamedTuple):
    """What watches a site's cameras, and what the API asks of it."""

    supervisor: Supervisor
    desk: Desk
    keys: Keys
    site: LiveSite

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
def watching(
    site: SiteFile,
    settings: Settings,
    detector: Detector,
    path: Path | None = None,
    metrics: Metrics | None = None,
) -> Iterator[Running]:
    """Watch a site's cameras and deliver its alerts while the context lasts; leaving it drains both.

    Open alerts of cameras that the site has no more end first, unless other services share the database.

    Args:
        path: the site's file: with it, the site can be changed while it is watched.
        metrics: the instruments of the application that answers for it, if one does.

    Raises:
        WiringError: a source is none, the detector fails, the store is in use or damaged, or an endpoint or its secret
            can't be used.
    """
    from service.api.bell import Bell
    from service.api.desk import Desk
    from service.delivery.courier import Courier
    from service.metrics import Metrics
    from service.store.address import address_of
    from service.store.errors import StoreError
    from service.store.store import Store
    from service.worker.clock import SystemClock
    from service.worker.endings import end_unwatched
    from service.worker.health import Health

    if faults := bad_sources(site):
        raise WiringError("; ".join(faults))
    clock, bell, counted = SystemClock(), Bell(), metrics or Metrics()
    senders = senders_of(site, clock)
    _probe(detector)
    with ExitStack() as stack:
        try:
            store = Store(
                settings.store, endpoints_of(site), clock=clock, limits=limits(settings), address=address_of(settings)
            )
        except StoreError as error:
            raise WiringError(str(error)) from error
        stack.callback(_close_store, store)
        if not store.shared:  # cameras that this site does not have may be another service's
            end_unwatched(store, site.cameras, lambda camera: origin_of(site, camera), clock)
        people = people_of(site, store.notices, store.picture, clock)
        stack.enter_context(people.telling())
        automation = automation_of(site)
        stack.enter_context(automation.connected())
        courier = Courier(store, {**senders, **people.senders, **automation.senders}, clock, metrics=counted)
        stack.enter_context(_delivering(courier))
        health = Health(site.cameras, clock, counted)

        def wake() -> None:
            courier.wake()
            bell.ring()

        cameras = SiteCameras(detector, store, clock, wake, health)
        stack.callback(cameras.writer.close)
        stack.callback(cameras.supervisor.stop)
        for camera in site.cameras:
            cameras.watch(site, camera)
        live = LiveSite(site, path, cameras)
        stack.enter_context(automation.mirroring(store, health, lambda: live.site))
        desk = Desk(store, health, lambda camera: origin_of(live.site, camera), clock, site=live, bell=bell)
        yield Running(cameras.supervisor, desk, store.keys, live)


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
