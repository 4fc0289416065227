"""How the cameras of a site do, as it can be asked of a service that watches: a door, as in `inquiry`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from service.ports import CameraState, Image
from service.safety.compliance import PersonState
from service.safety.coverage import Blind
from service.safety.detections import Detections
from service.safety.equipment import Equipment

STUCK: Final = 25.0
"""Seconds without an answer to a camera's picture after which the detector is stuck: longer than a watch waits."""


@dataclass(frozen=True, slots=True)
class CameraReport:
    """How a camera does now.

    Attributes:
        camera: its id.
        state: its connection, and since when.
        frame_age: seconds since the last judged frame was captured; None before the first.
        rate: frames judged a second, over the last ten seconds.
        people: on the last judged frame; None before the first.
        blind: what it can't judge, and why.
        unanswered: seconds since the detector was asked about a picture that it has not answered; None when it has.
        reduced_to: frames a second that it gets while the detector can't keep up with all; None: what it asks for.
    """

    camera: str
    state: CameraState
    frame_age: float | None
    rate: float
    people: int | None
    blind: tuple[tuple[Equipment, Blind], ...]
    unanswered: float | None = None
    reduced_to: float | None = None

    @property
    def judges(self) -> bool:
        """Whether people on its pictures are judged at all."""
        return self.state.status in {"live", "moved"}

    @property
    def stuck(self) -> bool:
        """Whether the detector has left a picture without an answer for too long."""
        return self.unanswered is not None and self.unanswered >= STUCK


@dataclass(frozen=True, slots=True)
class View:
    """What a camera's last judged picture shows.

    Attributes:
        image: the picture, black where zones ignore it.
        people: who is on it.
        detections: what was seen on it, by which faces are found.
        blurred: whether faces have to go before it is shown.
        unverified: who on it could be judged and has been unknown for long.
    """

    image: Image
    people: tuple[PersonState, ...]
    detections: Detections
    blurred: bool
    unverified: tuple[str, ...] = ()


class CameraHealth(Protocol):
    """How the cameras of a site do. Safe to call from many threads at once, and never waits for a camera."""

    def reports(self) -> list[CameraReport]:
        """Return a report for each camera, in the order of the site file."""
        ...

    def view(self, camera: str) -> View | None:
        """Return what a camera's last judged picture shows; None: it has none yet, or there is no such camera."""
        ...
