"""A desk of made alerts and cameras at the port, with a clock that stands where it is put."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from fastapi import FastAPI

from service.api.bell import Bell
from service.api.desk import Desk
from service.detectors.fake import FakeDetector
from service.events import Origin
from service.health import CameraReport, View
from service.ports import CameraState
from service.safety.alerts import Alert
from service.safety.site import Scene, Zone
from service.store.fake import FakeStore
from service.upkeep import SiteUpkeep
from tests.api.conftest import build, serving
from tests.api.made_pictures import see
from tests.store.made import START_MS, HeldClock, alert, fired, moment

YARD = Zone(id="yard", name="Lumber yard", polygon=((0, 0), (1, 0), (1, 1)))
NAMES = {"gate": "Gate 2", "dock": "Dock"}


class MadeHealth:
    """`health.CameraHealth` that says what it was given."""

    def __init__(self) -> None:
        self.views: dict[str, View] = {}
        live = CameraState("live", moment(0))
        lost = CameraState("offline", moment(5), "STREAM_TIMEOUT", "no picture for 10 s")
        self.made = [
            CameraReport("gate", live, 0.24, 4.96, 3, ()),
            CameraReport("dock", lost, None, 0.0, None, (("helmet", "mostly_unknown"),)),
        ]

    def reports(self) -> list[CameraReport]:
        return list(self.made)

    def view(self, camera: str) -> View | None:
        return self.views.get(camera)


@dataclass
class Made:
    """What is behind a desk."""

    store: FakeStore = field(default_factory=FakeStore)
    health: MadeHealth = field(default_factory=MadeHealth)
    site: SiteUpkeep | None = None
    clock: HeldClock = field(default_factory=lambda: HeldClock(START_MS + 60_000))
    bell: Bell = field(default_factory=Bell)

    def desk(self) -> Desk:
        return Desk(self.store, self.health, origin, self.clock, self.bell, self.site)

    def fire(self, *numbers: int, **other: Any) -> list[Alert]:
        made = [replace(alert(number), **other) for number in numbers]
        self.store.record([fired(one) for one in made], [], [])
        return made


@contextmanager
def asked(made: Made) -> Iterator[tuple[httpx.Client, FastAPI]]:
    """Serve a desk; gives a client and the application, whose desk may be changed."""
    app = build(FakeDetector(see), made.desk())
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client, app


def origin(camera: str) -> Origin:
    """Name a camera and its zones."""
    return Origin(Scene(camera=camera, zones=(YARD,)), NAMES.get(camera, ""), "Plant 4")
