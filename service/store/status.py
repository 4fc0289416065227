"""What evidence there is, for who looks after the disk."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from service.store.erasure import Erasure, tombstones
from service.store.evidence import PENDING, next_fired_ms
from service.store.schema import KEPT, evidence, holds


@dataclass(frozen=True, slots=True)
class Status:
    """What evidence there is: alerts that have some, files, bytes, when the oldest of them fired (Unix ms).

    Attributes:
        missing: files that somebody removed.
        held: alerts that are held, with why.
        gone: stills that are gone, by why (`evidence.Why`).
        free: free bytes of the disk.
        erasures: every tombstone, oldest first.
    """

    alerts: int
    files: int
    size: int
    oldest_ms: int | None
    missing: int
    held: dict[str, str]
    gone: dict[str, int]
    free: int
    erasures: tuple[Erasure, ...]


def look(connection: Connection, free: int) -> Status:
    """Count what is there and what is gone."""
    size = func.coalesce(func.sum(evidence.c.size), 0)
    there = select(func.count(evidence.c.alert.distinct()), func.count(), size)
    alerts, files, total = connection.execute(there.where(KEPT, evidence.c.missing.is_(False))).one()
    removed = (KEPT, evidence.c.missing.is_(True), func.coalesce(evidence.c.why, "") != PENDING)
    missing = connection.scalar(select(func.count()).where(*removed))
    gone = select(evidence.c.why, func.count()).where(~KEPT).group_by(evidence.c.why).order_by(evidence.c.why)
    return Status(
        alerts=alerts,
        files=files,
        size=total,
        oldest_ms=next_fired_ms(connection, -(2**62)),
        missing=missing or 0,
        held={row.alert: row.why for row in connection.execute(select(holds).order_by(holds.c.since_ms))},
        gone={row[0]: row[1] for row in connection.execute(gone)},
        free=free,
        erasures=tuple(tombstones(connection)),
    )
