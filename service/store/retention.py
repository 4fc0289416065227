"""What is forgotten, oldest first: evidence by age, size and free disk; alerts and delivered messages by age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select

from service.store.schema import (
    KEPT,
    LOST,
    PENDING,
    alerts,
    deliveries,
    disabled_endpoints,
    evidence,
    holds,
    messages,
    tables,
)

DAY_MS: Final = 86_400_000
CONTINUED_MS: Final = 3_600_000
"""An alert that was lost sight of may be continued for so long, and counts as open: the longest `reopen_within`."""
MOST_ALERTS: Final = 20
"""Alerts whose evidence one step removes."""
MOST_ROWS: Final = 100
"""Alerts or messages whose rows one step removes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept.

    Attributes:
        evidence_days: days that evidence is kept once its alert ended.
        evidence_bytes: size of all evidence from which the oldest goes.
        free_bytes: free bytes of the disk below which the oldest evidence goes; 0 never looks.
        alert_days: days that ended alerts and finished messages are kept; evidence goes with its alert at the latest.
    """

    evidence_days: float = 30.0
    evidence_bytes: int = 20 * 2**30
    free_bytes: int = 2**30
    alert_days: float = 400.0

    def evidence_before(self, now_ms: int) -> int:
        """Return the Unix ms before which evidence is too old."""
        return now_ms - round(min(self.evidence_days, self.alert_days) * DAY_MS)

    def alerts_before(self, now_ms: int) -> int:
        """Return the Unix ms before which alerts and messages are too old."""
        return now_ms - round(self.alert_days * DAY_MS)


@dataclass(frozen=True, slots=True)
class Aged:
    """An alert with evidence: when it fired (Unix ms), and how many bytes there are."""

    alert: str
    fired_ms: int
    size: int


def is_open(now_ms: int) -> ColumnElement[bool]:
    """Say that an alert is open, or may be continued still."""
    continued = alerts.c.seen_ms.between(now_ms - CONTINUED_MS, now_ms + CONTINUED_MS)
    return or_(alerts.c.ended_ms.is_(None), and_(LOST, continued))


def is_held() -> ColumnElement[bool]:
    """Say that an alert is held."""
    return exists().where(holds.c.alert == alerts.c.id)


def kept_bytes(connection: Connection) -> int:
    """Return the size of all evidence."""
    return int(connection.scalar(select(func.coalesce(func.sum(evidence.c.size), 0)).where(KEPT)) or 0)


def oldest(connection: Connection, now_ms: int, before_ms: int | None = None) -> list[Aged]:
    """Return the alerts with the oldest evidence that may go, at most 20; with `before_ms`, those that ended before."""
    needed = or_(is_open(now_ms), is_held())
    query = (
        select(evidence.c.alert, evidence.c.fired_ms, func.sum(evidence.c.size))
        .group_by(evidence.c.fired_ms, evidence.c.alert)
        .order_by(evidence.c.fired_ms, evidence.c.alert)
        .limit(MOST_ALERTS)
    )
    if before_ms is not None:
        needed = or_(needed, alerts.c.ended_ms >= before_ms)
        query = query.where(evidence.c.fired_ms < before_ms)
    query = query.where(KEPT, ~exists().where(alerts.c.id == evidence.c.alert, needed))
    return [Aged(*row) for row in connection.execute(query)]


def enough(chosen: list[Aged], size: int) -> list[Aged]:
    """Return the first of them whose evidence is together as large."""
    taken: list[Aged] = []
    for one in chosen:
        if sum(each.size for each in taken) >= size:
            break
        taken.append(one)
    return taken


def forget_alerts(connection: Connection, before_ms: int, now_ms: int) -> int:
    """Remove alerts without evidence that fired and ended before, with all that is known of them; return how many."""
    with_evidence = exists().where(evidence.c.alert == alerts.c.id, KEPT)
    query = (
        select(alerts.c.id)
        .where(
            alerts.c.fired_ms < before_ms, alerts.c.ended_ms < before_ms, ~is_open(now_ms), ~is_held(), ~with_evidence
        )
        .order_by(alerts.c.fired_ms, alerts.c.id)
        .limit(MOST_ROWS)
    )
    old = list(connection.scalars(query))
    if old:
        for table in reversed(tables.sorted_tables):
            for key in table.foreign_keys:
                if key.column is alerts.c.id:
                    connection.execute(delete(table).where(key.parent.in_(old)))
        connection.execute(delete(alerts).where(alerts.c.id.in_(old)))
    return len(old)


def forget_messages(connection: Connection, before_ms: int) -> int:
    """Remove messages of before that no endpoint waits for any more, disabled ones aside; return how many."""
    sent_to = deliveries.c.endpoint.not_in(select(disabled_endpoints.c.endpoint))
    waited_for = exists().where(deliveries.c.message == messages.c.number, PENDING, sent_to)
    query = select(messages.c.number).where(messages.c.created_ms < before_ms, ~waited_for)
    old = list(connection.scalars(query.order_by(messages.c.created_ms).limit(MOST_ROWS)))
    if old:
        connection.execute(delete(deliveries).where(deliveries.c.message.in_(old)))
        connection.execute(delete(messages).where(messages.c.number.in_(old)))
    return len(old)
