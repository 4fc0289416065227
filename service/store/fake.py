"""A store that ships for tests and try-outs: it keeps the same promises in memory, and forgets when it ends."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from service.inquiry import Change, Grouping, History, Listed, Mark, Place, Share, Span, Wanted
from service.ports import Delivery, Endpoint, Message, Still, Subject
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import PersonSeconds
from service.safety.detections import Detections
from service.safety.equipment import Equipment, State
from service.safety.moment import Moment
from service.store.clips import CLIP
from service.store.errors import StoreError
from service.store.evidence import PENDING, refuse_strange_id
from service.store.fake_clips import FakeClips
from service.store.fake_letters import FakeLetters, Waiting
from service.store.letters import known
from service.store.statistics import BIN, HOUR_MS, refuse_strange_amounts

_Group = tuple[str | None, str | None, Equipment | None, int | None]


class FakeStore(FakeClips, FakeLetters):
    """`ports.EventStore`, `ClipStore`, `Outbox` and what `inquiry` asks, in memory. Any thread may call it.

    Attributes:
        changes, stills, messages: what was recorded, in order, each once.
        counted, remembered: every call of `count` and `remember`.
        outbox: every message for every endpoint that wants it, in order.
        disabled: since when (Unix ms) and why endpoints are sent nothing.
        marks: what was said of each alert, oldest first.
        gone: why stills are not there, by alert and kind; put there by tests.
        absent: what was told of clips that are not there.

    Args:
        endpoints: the receivers that get every message that they want; a bare name wants all.
    """

    def __init__(self, endpoints: Sequence[str | Endpoint] = ()) -> None:
        self._endpoints = known(endpoints)
        self.disabled = {}
        self._lock = threading.RLock()
        self._alerts = {}
        self._known: set[tuple[str, str, int]] = set()
        self._place = {}
        self._told: set[tuple[str, str]] = set()
        self._closed = False
        self.changes: list[AlertChange] = []
        self.stills = {}
        self.messages = []
        self.counted: list[tuple[str, Moment, PersonSeconds, tuple[float, ...]]] = []
        self.remembered: list[tuple[str, Moment, Detections]] = []
        self.outbox = []
        self.marks: dict[str, list[Mark]] = {}
        self.gone = {}
        self.absent = {}

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
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
            self.stills.update({(still.alert, still.kind): still.jpeg for still in stills if still.jpeg})
            for alert in clips:
                if (alert, CLIP) not in self.stills:
                    self.gone.setdefault((alert, CLIP), PENDING)
            for message in messages:
                if message.id not in self._place:
                    self._place[message.id] = len(self.messages)
                    self.messages.append(message)
                    kept = replace(message, condition=None, subject=Subject())
                    receivers = [endpoint.name for endpoint in self._endpoints if endpoint.wants(message)]
                    self.outbox += [Waiting(Delivery(kept, name, 0)) for name in receivers]
                    self._note(message, bool(receivers))

    def _note(self, message: Message, sent: bool) -> None:
        if message.condition is not None and (sent or not message.condition.holds):
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
            heads: dict[tuple[str, str, bool], Waiting] = {}
            for row in self.outbox:
                if row.state == "pending" and row.delivery.endpoint not in self.disabled:
                    heads.setdefault((row.delivery.endpoint, row.delivery.message.camera, row.replayed), row)
            found = [row.delivery for row in heads.values() if row.next_ms <= now_ms or row.tried_ms > now_ms]
            return sorted(found, key=lambda one: (self._place[one.message.id], one.endpoint))[:most]

    def delivered(self, delivery: Delivery, at_ms: int) -> None:
        """Mark a delivery as done."""
        self._mark(delivery, "done", at_ms, 0, "")

    def failed(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None) -> None:
        """Count a failed attempt; try again at `next_ms`, or never when it is None."""
        self._mark(delivery, "dead" if next_ms is None else "pending", at_ms, next_ms or 0, why)

    def disable(self, delivery: Delivery, at_ms: int, why: str) -> None:
        """Count a failed attempt after which its endpoint is sent nothing, until it is enabled."""
        with self._open():
            self._mark(delivery, "pending", at_ms, at_ms, why)
            self.disabled.setdefault(delivery.endpoint, (at_ms, why))

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
                    tried = replace(one, attempts=one.attempts + 1)
                    self.outbox[index] = Waiting(tried, state, next_ms, why, at_ms, row.replayed)

    def find(self, wanted: Wanted, most: int, before: Place | None = None) -> list[Listed]:
        """Return at most `most` alerts that are wanted, newest first; the next page is before the last one's place."""
        with self._open():
            all_of_them = (self._listed(alert) for alert in self._alerts.values())
            found = [one for one in all_of_them if self._wants(wanted, one) and (before is None or one.place < before)]
            return sorted(found, key=lambda one: one.place, reverse=True)[:most]

    def _listed(self, alert: Alert) -> Listed:
        newest = {mark.kind: mark for mark in self.marks.get(alert.id, ())}
        return Listed(alert, tuple(newest.values()), self._kinds(alert.id))

    def _kinds(self, alert: str) -> tuple[str, ...]:
        return tuple(sorted(kind for of, kind in self.stills if of == alert))

    def _wants(self, wanted: Wanted, one: Listed) -> bool:
        alert, fired_ms = one.alert, one.alert.fired.wall_ms
        pairs = [
            (wanted.camera, alert.camera),
            (wanted.zone, alert.zone),
            (wanted.equipment, alert.equipment),
            (wanted.severity, alert.severity),
            (wanted.open, alert.ended is None),
            (wanted.acknowledged, any(mark.kind == "acknowledged" for mark in one.marks)),
        ]
        begun = wanted.since_ms is None or fired_ms >= wanted.since_ms
        over = wanted.until_ms is not None and fired_ms >= wanted.until_ms
        return begun and not over and all(value is None or value == found for value, found in pairs)

    def alert(self, alert: str) -> History | None:
        """Return an alert by its id with what happened to it and what was said of it, or None."""
        with self._open():
            if alert not in self._alerts:
                return None
            changes = tuple(Change(one.kind, one.at) for one in self.changes if one.alert.id == alert)
            return History(self._alerts[alert], changes, self._kinds(alert), tuple(self.marks.get(alert, ())))

    def picture(self, alert: str, kind: str) -> bytes | None:
        """Return a still of an alert, or None."""
        with self._open():
            return self.stills.get((alert, kind))

    def why_gone(self, alert: str, kind: str) -> str | None:
        """Return what `gone` says of a still, or None."""
        with self._open():
            return self.gone.get((alert, kind))

    def mark(self, alert: str, mark: Mark) -> History | None:
        """Keep what was said of an alert and return the alert, or None when there is no such alert."""
        with self._open():
            if alert in self._alerts:
                said = self.marks.setdefault(alert, [])
                if not mark.repeats(next((one for one in reversed(said) if one.kind == mark.kind), None)):
                    said.append(mark)
            return self.alert(alert)

    def compliance(self, span: Span, by: Collection[Grouping]) -> list[Share]:
        """Return person-seconds in groups, ordered by camera, zone, equipment and hour."""
        sums: dict[_Group, Counter[State]] = defaultdict(Counter)
        with self._open():
            for camera, at, seconds, _ in self.counted:
                hour = at.wall_ms // HOUR_MS * HOUR_MS
                for (zone, equipment, state), value in seconds.items():
                    if (
                        span.from_ms <= hour < span.to_ms
                        and _in(span.camera, camera)
                        and _in(span.zone, zone)
                        and _in(span.equipment, equipment)
                    ):
                        group = (
                            camera if "camera" in by else None,
                            zone if "zone" in by else None,
                            equipment if "equipment" in by else None,
                            hour if "hour" in by else None,
                        )
                        sums[group][state] += value  # type: ignore[assignment]  # of seconds
        ordered = sorted(sums.items(), key=lambda one: [0 if key is None else key for key in one[0]])
        return [Share(*group, found["worn"], found["missing"], found["unknown"]) for group, found in ordered]

    def recording(self, camera: str) -> Iterator[tuple[Moment, Detections]]:
        """Yield a camera's remembered frames in the order in which they came."""
        with self._open():
            yield from [(at, seen) for of, at, seen in self.remembered if of == camera]

    def heights(self, camera: str, from_ms: int, to_ms: int) -> dict[int, int]:
        """Return a camera's histogram of heights, of the hours that start in [from_ms, to_ms)."""
        found: Counter[int] = Counter()
        with self._open():
            for of, at, _, heights in self.counted:
                if of == camera and from_ms <= at.wall_ms // HOUR_MS * HOUR_MS < to_ms:
                    found.update(int(height // BIN) * BIN for height in heights)
        return dict(found)

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


def _in(wanted: str | None, found: str) -> bool:
    return wanted is None or wanted == found
