"""What is erased on request: of an alert, of a camera, of a period. A tombstone says so, and survives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select, true, update

from service.safety.alerts import AlertChange
from service.store import evidence, outbox
from service.store.observed import recordings
from service.store.retention import is_held, is_open
from service.store.schema import PENDING, alerts, deliveries, erased, erasures, marks, messages

ERASED: Final = "erased"
"""What stands in an erased alert's row where the person stood."""
_ALERTS: Final = 20
_MESSAGES: Final = 500
_PACKS: Final = 20
_PACK_MS: Final = 60_000
"""A pack of recorded frames begins at most so long before its last frame."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be erased: one alert, or all that was seen on a camera, in a period [from_ms, to_ms), or both.

    Raises:
        ValueError: it names nothing, an alert and more, or a period that ends before it begins.
    """

    alert: str | None = None
    camera: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def __post_init__(self) -> None:
        others = (self.camera, self.from_ms, self.to_ms)
        if self.alert is None and all(one is None for one in others):
            raise ValueError("name an alert, a camera or a period: nothing else says what to erase")
        if self.alert is not None and any(one is not None for one in others):
            raise ValueError("name an alert, or a camera and a period, not both")
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ValueError("the period ends before it begins")

    def covers(self) -> ColumnElement[bool]:
        """Say that an alert is of the scope; of a period is what lasted into it."""
        covered = []
        if self.alert is not None:
            covered.append(alerts.c.id == self.alert)
        if self.camera is not None:
            covered.append(alerts.c.camera == self.camera)
        if self.from_ms is not None:
            covered.append(func.coalesce(alerts.c.ended_ms, alerts.c.seen_ms) >= self.from_ms)
        if self.to_ms is not None:
            covered.append(alerts.c.since_ms < self.to_ms)
        return and_(true(), *covered)


@dataclass(frozen=True, slots=True)
class Erasure:
    """A tombstone: what was erased, when (Unix ms) and by whose wish; how many alerts and files.

    `finished_ms` is None while a part of it is still to be done.
    """

    number: int
    at_ms: int
    asked_by: str
    scope: Scope
    alerts: int
    files: int
    finished_ms: int | None


def begin(connection: Connection, scope: Scope, asked_by: str, now_ms: int) -> int:
    """Set up the tombstone and return its number."""
    row = {
        "at_ms": now_ms,
        "asked_by": asked_by,
        "alert": scope.alert,
        "camera": scope.camera,
        "from_ms": scope.from_ms,
        "to_ms": scope.to_ms,
        "alerts": 0,
        "files": 0,
    }
    return int(connection.execute(insert(erasures).returning(erasures.c.id), row).scalar_one())


def erase_alerts(connection: Connection, erasure: Erasure, now_ms: int) -> tuple[int, list[str]]:
    """Erase a few alerts; return how many, and the paths whose files go next. What is open or held stays."""
    chosen = list(
        connection.scalars(
            select(alerts.c.id)
            .where(erasure.scope.covers(), ~is_open(now_ms), ~is_held(), ~is_erased())
            .order_by(alerts.c.fired_ms, alerts.c.id)
            .limit(_ALERTS)
        )
    )
    if not chosen:
        return 0, []
    nowhere = dict.fromkeys(("x1", "y1", "x2", "y2"), 0.0)
    connection.execute(update(alerts).where(alerts.c.id.in_(chosen)).values(person=ERASED, **nowhere))
    connection.execute(update(marks).where(marks.c.alert.in_(chosen)).values(by="", note=""))
    paths = evidence.remove(connection, chosen, now_ms, "erased")
    connection.execute(insert(erased), [{"alert": alert, "erasure": erasure.number} for alert in chosen])
    counts = {"alerts": erasures.c.alerts + len(chosen), "files": erasures.c.files + len(paths)}
    connection.execute(update(erasures).where(erasures.c.id == erasure.number).values(counts))
    return len(chosen), paths


def empty_messages(connection: Connection, after: int) -> int | None:
    """Empty the messages of erased alerts among the next few and send them no more; return the last one looked at.

    Returns:
        None: there are no messages after `after`.
    """
    query = select(messages.c.number, messages.c.payload).where(messages.c.number > after)
    about = {
        number: outbox.alert_in(payload)
        for number, payload in connection.execute(query.order_by(messages.c.number).limit(_MESSAGES))
    }
    if not about:
        return None
    away = set(connection.scalars(select(erased.c.alert).where(erased.c.alert.in_(set(about.values()) - {None}))))
    found = [number for number, alert in about.items() if alert in away]
    if found:
        connection.execute(update(messages).where(messages.c.number.in_(found)).values(payload="{}"))
        waiting = update(deliveries).where(deliveries.c.message.in_(found), PENDING)
        connection.execute(waiting.values(state="dead", error="erased on request"))
    return int(max(about))


def forget_recordings(connection: Connection, scope: Scope) -> int:
    """Remove a few packs of recorded frames of the scope; return how many."""
    covered: list[ColumnElement[bool]] = []
    if scope.alert is not None:
        row = connection.execute(select(alerts).where(alerts.c.id == scope.alert, is_erased())).mappings().first()
        if row is None:
            return 0
        scope = Scope(camera=row["camera"], from_ms=row["since_ms"], to_ms=(row["ended_ms"] or row["seen_ms"]) + 1)
    if scope.camera is not None:
        covered.append(recordings.c.camera == scope.camera)
    if scope.from_ms is not None:
        covered.append(recordings.c.last_ms >= scope.from_ms)
    if scope.to_ms is not None:
        covered.append(recordings.c.last_ms < scope.to_ms + _PACK_MS)
    packs = list(connection.scalars(select(recordings.c.id).where(*covered).limit(_PACKS)))
    connection.execute(delete(recordings).where(recordings.c.id.in_(packs)))
    return len(packs)


def finish(connection: Connection, number: int, now_ms: int) -> None:
    """Say that all of an erasure is done."""
    connection.execute(update(erasures).where(erasures.c.id == number).values(finished_ms=now_ms))


def tombstones(connection: Connection, *, unfinished: bool = False) -> list[Erasure]:
    """Return every erasure, oldest first."""
    query = select(erasures).order_by(erasures.c.id)
    if unfinished:
        query = query.where(erasures.c.finished_ms.is_(None))
    return [
        Erasure(
            row["id"],
            row["at_ms"],
            row["asked_by"],
            Scope(row["alert"], row["camera"], row["from_ms"], row["to_ms"]),
            row["alerts"],
            row["files"],
            row["finished_ms"],
        )
        for row in connection.execute(query).mappings()
    ]


def left(connection: Connection, scope: Scope, now_ms: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the alerts of a scope that could not be erased: those that are open, and those that are held."""
    query = select(alerts.c.id).where(scope.covers(), ~is_erased()).order_by(alerts.c.fired_ms, alerts.c.id)
    unended = connection.scalars(query.where(is_open(now_ms)))
    held = connection.scalars(query.where(~is_open(now_ms), is_held()))
    return tuple(unended), tuple(held)


def is_erased() -> ColumnElement[bool]:
    """Say that an alert was erased."""
    return exists().where(erased.c.alert == alerts.c.id)


def without_erased(connection: Connection, changes: Sequence[AlertChange]) -> list[AlertChange]:
    """Return the changes of alerts that were not erased: what comes late brings nothing back."""
    ids = {change.alert.id for change in changes}
    away = set(connection.scalars(select(erased.c.alert).where(erased.c.alert.in_(ids)))) if ids else set()
    return [change for change in changes if change.alert.id not in away]
