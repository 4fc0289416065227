"""A store that ships for tests and try-outs: it keeps the same promises in memory, and forgets when it ends."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from service.ports import Delivery, Message, Still
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import PersonSeconds
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.store.errors import StoreError
from service.store.evidence import refuse_strange_id
from service.store.statistics import refuse_strange_amounts


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the outbox."""

    delivery: Delivery
    state: Literal["pending", "done", "dead"] = "pending"
    next_ms: int = 0
    why: str = ""
    tried_ms: int = 0


class FakeStore:
    """`ports.EventStore` and `ports.Outbox` in memory. Safe to call from many threads at once.

    Attributes:
        changes, stills, messages: what was recorded, in order, each once.
        counted, remembered: every call of `count` and `remember`.
        outbox: every message for every endpoint, in order.

    Args:
        endpoints: names of the receivers that get every message.
    """

    def __init__(self, endpoints: Sequence[str] = ()) -> None:
        self._endpoints = tuple(dict.fromkeys(endpoints))
        self._lock = threading.RLock()
        self._alerts: dict[str, Alert] = {}
        self._known: set[tuple[str, str, int]] = set()
        self._place: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()
        self._closed = False
        self.changes: list[AlertChange] = []
        self.stills: dict[tuple[str, str], bytes] = {}
        self.messages: list[Message] = []
        self.counted: list[tuple[str, Moment, PersonSeconds, tuple[float, ...]]] = []
        self.remembered: list[tuple[str, Moment, Detections]] = []
        self.outbox: list[Waiting] = []

    def record(self, changes: Sequence[AlertChange], stills: Sequence[Still], messages: Sequence[Message]) -> None:
        """Keep what is new of them."""
        with self._open():
            for alert in (*(change.alert.id for change in changes), *(still.alert for still in stills)):
                refuse_strange_id(alert)
            strange = {still.alert for still in stills} - self._alerts.keys() - {change.alert.id for change in changes}
            if strange:
                raise ValueError(f"a still of alert {min(strange)}, which is not kept")
            for change in changes:
                if _key(change) not in self._known:
                    self._known.add(_key(change))
                    self.changes.append(change)
                    self._alerts[change.alert.id] = change.alert
            self.stills.update({(still.alert, still.kind): still.jpeg for still in stills})
            for message in messages:
                if message.id not in self._place:
                    self._place[message.id] = len(self.messages)
                    self.messages.append(message)
                    kept = replace(message, condition=None)
                    self.outbox += [Waiting(Delivery(kept, endpoint, 0)) for endpoint in self._endpoints]
                    self._note(message)

    def _note(self, message: Message) -> None:
        if message.condition is not None and self._endpoints:
            told = (message.camera, message.condition.name)
            (self._told.add if message.condition.holds else self._told.discard)(told)

    def open_alerts(self, camera: str, *, lost_since_ms: int | None = None) -> list[Alert]:
        """Return a camera's open alerts, and those that were lost sight of and last seen since then, oldest first."""
        with self._open():
            found = [
                alert
                for alert in self._alerts.values()
                if alert.camera == camera and (alert.ended is None or _lost_since(alert, lost_since_ms))
            ]
            return sorted(found, key=lambda alert: (alert.fired.wall_ms, alert.id))

    def cameras_with_open_alerts(self) -> list[str]:
        """Return the ids of the cameras that have open alerts, sorted."""
        with self._open():
            return sorted({alert.camera for alert in self._alerts.values() if alert.ended is None})

    def conditions(self, camera: str) -> frozenset[str]:
        """Return the names of a camera's conditions that were told to begin, and not yet to be over."""
        with self._open():
            return frozenset(condition for of, condition in self._told if of == camera)

    def touch(self, alerts: Sequence[Alert]) -> None:
        """Keep where and when open alerts were last seen."""
        with self._open():
            for alert in alerts:
                kept = self._alerts.get(alert.id)
                if kept is not None and kept.ended is None:
                    self._alerts[alert.id] = replace(kept, seen=alert.seen, box=alert.box)

    def count(self, camera: str, at: Moment, seconds: PersonSeconds, heights: Sequence[float]) -> None:
        """Keep what was counted."""
        with self._open():
            refuse_strange_amounts(seconds, heights)
            self.counted.append((camera, at, dict(seconds), tuple(heights)))

    def remember(self, camera: str, at: Moment, detections: Detections) -> None:
        """Keep a frame's detections, all of them."""
        with self._open():
            self.remembered.append((camera, at, detections))

    def due(self, now_ms: int, most: int = 100) -> list[Delivery]:
        """Return deliveries whose time has come, oldest first; of an endpoint and camera only the oldest unfinished."""
        with self._open():
            heads: dict[tuple[str, str], Waiting] = {}
            for row in self.outbox:
                if row.state == "pending":
                    heads.setdefault((row.delivery.endpoint, row.delivery.message.camera), row)
            found = [row.delivery for row in heads.values() if row.next_ms <= now_ms or row.tried_ms > now_ms]
            return sorted(found, key=lambda one: (self._place[one.message.id], one.endpoint))[:most]

    def delivered(self, delivery: Delivery, at_ms: int) -> None:
        """Mark a delivery as done."""
        self._mark(delivery, "done", at_ms, 0, "")

    def failed(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None) -> None:
        """Count a failed attempt; try again at `next_ms`, or never when it is None."""
        self._mark(delivery, "dead" if next_ms is None else "pending", at_ms, next_ms or 0, why)

    def _mark(
        self, delivery: Delivery, state: Literal["pending", "done", "dead"], at_ms: int, next_ms: int, why: str
    ) -> None:
        with self._open():
            for index, row in enumerate(self.outbox):
                one = row.delivery
                if row.state == "pending" and (one.message.id, one.endpoint) == (
                    delivery.message.id,
                    delivery.endpoint,
                ):
                    self.outbox[index] = Waiting(replace(one, attempts=one.attempts + 1), state, next_ms, why, at_ms)

    def _open(self) -> threading.RLock:
        if self._closed:
            raise StoreError("STORE_CLOSED", "this store was closed")
        return self._lock

    def close(self) -> None:
        """Refuse what comes; what was kept can still be looked at. Idempotent."""
        self._closed = True


def _lost_since(alert: Alert, since_ms: int | None) -> bool:
    return since_ms is not None and alert.ending == "lost_sight" and alert.seen.wall_ms >= since_ms


def _key(change: AlertChange) -> tuple[str, str, int]:
    return change.alert.id, change.kind, change.at.wall_ms
