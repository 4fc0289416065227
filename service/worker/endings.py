"""Alerts that nobody watches any more end as lost_sight: what is not watched does not stay open for ever."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import structlog

from service.events import Origin, alert_message
from service.ports import Clock, EventStore, StoreUnavailable
from service.safety.alerts import Alert, AlertChange
from service.safety.moment import Moment
from service.worker.clock import on_this_clock

log = structlog.get_logger("watch")


def lost(alerts: Iterable[Alert], at: Moment) -> tuple[AlertChange, ...]:
    """End open alerts at a moment, without evidence."""
    return tuple(AlertChange("lost_sight", replace(alert, ended=at, ending="lost_sight"), at) for alert in alerts)


def least_picture(alerts: Collection[Alert]) -> tuple[int, int]:
    """Return width and height of the least picture that holds the alerts' people, in pixels."""
    right, lower = (max(alert.box[side] for alert in alerts) for side in (2, 3))
    return math.ceil(max(right, 1.0)), math.ceil(max(lower, 1.0))


def end_unwatched(store: EventStore, watched: Collection[str], origin: Callable[[str], Origin], clock: Clock) -> None:
    """End the open alerts of cameras that are watched no more, a record a camera, and tell of it.

    A store that can't be written is asked again at the next start.

    Args:
        watched: the cameras that are watched.
        origin: says in words where a camera that is none of them was.
    """
    try:
        for camera in store.cameras_with_open_alerts():
            if camera not in watched:
                _end(store, origin(camera), clock)
    except StoreUnavailable as error:
        log.error("store.unavailable", fault=str(error))


def end_removed(store: EventStore, origin: Origin, clock: Clock) -> None:
    """End the open alerts of one camera that is watched no more, and tell of it; others may be watched elsewhere."""
    try:
        _end(store, origin, clock)
    except StoreUnavailable as error:
        log.error("store.unavailable", fault=str(error))


def _end(store: EventStore, origin: Origin, clock: Clock) -> None:
    now, camera = clock.now(), origin.scene.camera
    alerts = [on_this_clock(alert, now) for alert in store.open_alerts(camera)]
    if alerts:
        changes, size = lost(alerts, now), least_picture(alerts)
        store.record(changes, (), [alert_message(change, origin, *size) for change in changes])
        log.info("camera.removed", camera=camera, ended=[alert.id for alert in alerts])
