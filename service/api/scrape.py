"""What nobody counts and everybody can look up: asked of the service at each scrape of its metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, get_args

import structlog
from fastapi import FastAPI
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from service.api import describe
from service.api.desk import Desk
from service.health import CameraReport
from service.inquiry import EndpointReport
from service.ports import CameraStatus, StoreUnavailable
from service.safety.equipment import EQUIPMENT

STATUSES: Final[tuple[CameraStatus, ...]] = get_args(CameraStatus)

log = structlog.stdlib.get_logger("service.api")
Row = tuple[tuple[str, ...], float]
"""The values of a sample's labels, and its own."""


class Scrape(Collector):
    """All metrics of an application: its instruments, and what is looked up.

    Args:
        app: the application, as `build_app` makes it.
    """

    def __init__(self, app: FastAPI) -> None:
        self._state = app.state

    def collect(self) -> Iterable[Metric]:
        """Yield every family, in groups that don't depend on each other."""
        yield from self._state.metrics.registry.collect()
        yield from self._service()
        desk: Desk | None = self._state.desk
        if desk is not None:
            yield from _cameras(desk.health.reports())
            yield from _store(desk)

    def _service(self) -> Iterator[Metric]:
        model = self._state.detector.model
        yield InfoMetricFamily(
            "ppe_build",
            "The service's version, and its model's.",
            {"version": describe.version(), "model": model.name, "model_version": model.version},
        )
        yield _gauge("ppe_ready", "Whether pictures can be judged.", (), [((), self._state.ready)])
        turns = (self._state.turns, self._state.turns_of_strangers)
        counts = [(("working",), sum(one.working for one in turns)), (("waiting",), sum(one.waiting for one in turns))]
        yield _gauge(
            "ppe_detect_requests", "Requests for detections that are in work, or wait for that.", ("state",), counts
        )
        listening = self._state.listeners.count
        yield _gauge("ppe_event_listeners", "Clients that listen to events.", (), [((), listening)])


def _cameras(reports: list[CameraReport]) -> Iterator[Metric]:
    def of_each(name: str, meaning: str, value: Callable[[CameraReport], float | None]) -> Metric:
        found = [((report.camera,), value(report)) for report in reports]
        return _gauge(f"ppe_camera_{name}", meaning, ("camera",), [(of, one) for of, one in found if one is not None])

    yield _gauge(
        "ppe_camera_state",
        "1 for the state that a camera is in, 0 for all others.",
        ("camera", "state"),
        [((report.camera, state), report.state.status == state) for report in reports for state in STATUSES],
    )
    yield _gauge(
        "ppe_camera_can_judge",
        "Whether it can be told on a camera if an equipment is worn.",
        ("camera", "equipment"),
        [
            ((report.camera, one), report.judges and one not in {blind for blind, _ in report.blind})
            for report in reports
            for one in EQUIPMENT
        ],
    )
    yield of_each("frame_age_seconds", "Time since the last judged frame was captured.", lambda one: one.frame_age)
    yield of_each("reduced", "Whether fewer frames are judged than are wanted.", lambda one: one.reduced_to is not None)
    yield of_each("people", "People on the last judged frame.", lambda one: one.people)


def _store(desk: Desk) -> Iterator[Metric]:
    try:
        room, reports = desk.records.room(), desk.records.endpoint_reports()
    except StoreUnavailable as error:
        log.warning("store.unavailable", fault=str(error))
        yield _gauge("ppe_store_up", _UP, (), [((), 0)])
        return
    yield _gauge("ppe_store_up", _UP, (), [((), 1)])
    yield _gauge("ppe_store_free_bytes", "Free space of the store's disk.", (), [((), room.free)])
    yield _gauge("ppe_store_evidence_bytes", "Size of all evidence.", (), [((), room.evidence)])
    yield from _outbox(reports, desk.clock.now().wall_ms)


_UP: Final = "Whether the store answered this scrape; what it tells is left out while it does not."


def _outbox(reports: list[EndpointReport], now_ms: int) -> Iterator[Metric]:
    def of_each(name: str, meaning: str, value: Callable[[EndpointReport], float]) -> Metric:
        return _gauge(f"ppe_outbox_{name}", meaning, ("endpoint",), [((one.name,), value(one)) for one in reports])

    def age(report: EndpointReport) -> float:
        return 0.0 if report.oldest_ms is None else max(0.0, (now_ms - report.oldest_ms) / 1000)

    yield of_each("pending_messages", "Messages that wait for an endpoint.", lambda one: one.pending)
    yield of_each("oldest_pending_seconds", "Age of the oldest message that waits; 0 when none does.", age)
    yield of_each("dead_messages", "Messages that were given up.", lambda one: one.dead)
    yield of_each(
        "endpoint_enabled", "0 when an endpoint is sent nothing any more.", lambda one: one.disabled_ms is None
    )


def _gauge(name: str, meaning: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family
