"""Alerts, messages and detections that store tests share, and a clock that stands where it is put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from service.ports import Condition, Message, Still
from service.safety.alerts import Alert, AlertChange, Ending, Kind
from service.safety.detections import Detections
from service.safety.moment import Moment

START_MS = 1_750_000_000_000
JPEG = b"\xff\xd8 not really a picture \xff\xd9"


class HeldClock:
    """`ports.Clock` that moves only when told."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms

    def now(self) -> Moment:
        return Moment(self.wall_ms / 1000, self.wall_ms)

    def sleep(self, seconds: float) -> None:
        self.wall_ms += int(seconds * 1000)


def moment(seconds: float) -> Moment:
    return Moment(seconds, START_MS + round(seconds * 1000))


def alert(number: int = 1, camera: str = "gate") -> Alert:
    at = moment(number)
    return Alert(
        id=f"{number:016x}",
        camera=camera,
        person=f"p{number}",
        zone="yard",
        equipment="helmet",
        severity="high",
        since=moment(number - 2.25),
        fired=at,
        seen=at,
        box=(10.5, 20.0, 110.25, 320.0),
        zone_uncertain=True,
    )


def fired(one: Alert) -> AlertChange:
    return AlertChange("fired", one, one.fired)


def ended(one: Alert, after: float = 10.0, kind: Kind = "resolved") -> AlertChange:
    at = moment(one.fired.seconds + after)
    ending: Ending = "worn" if kind == "resolved" else "lost_sight"
    return AlertChange(kind, replace(one, seen=at, ended=at, ending=ending), at)


def continued(one: Alert, after: float = 20.0) -> AlertChange:
    at = moment(one.fired.seconds + after)
    return AlertChange("updated", replace(one, seen=at, box=(1.0, 2.0, 3.0, 4.0), ended=None, ending=None), at)


def message(name: str, camera: str = "gate") -> Message:
    return Message(name, "alert.fired", camera, START_MS, f'{{"name":"{name}"}}')


def telling(name: str, condition: str, camera: str = "gate", *, holds: bool = True) -> Message:
    return replace(message(name, camera), type="camera.told", condition=Condition(condition, holds))


def still(one: Alert, jpeg: bytes = JPEG) -> Still:
    return Still(one.id, "clean", jpeg)


def detections(count: int = 3, shift: float = 0.0) -> Detections:
    rows = np.arange(count, dtype=np.float32)
    boxes = np.stack([rows * 40 + shift, rows * 20, rows * 40 + shift + 30, rows * 20 + 90], axis=1)
    confidence = np.linspace(0.05, 0.95, count).astype(np.float32)
    return Detections(boxes, confidence, np.arange(count) % 5, 1920, 1080, 1 / 3)
