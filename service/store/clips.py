"""Clips of alerts: promised with the alert, written some seconds later, or noted as absent with the reason.

The row of a clip that is promised and not there yet is one of a file that is missing, and says `pending` where others
say why they are gone. A file that a crash left without word is found by the next sweep, as any other; what has none by
then is `lost`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection, insert, select, update

from service.ports import Clock
from service.store.database import Database
from service.store.disk import Disk, File
from service.store.erasure import is_erased
from service.store.errors import StoreError
from service.store.evidence import PENDING, Why, refuse_strange_id
from service.store.schema import KEPT, alerts, evidence

CLIP: Final = "clip"
_IS_CLIP: Final = evidence.c.kind == CLIP

log = structlog.get_logger(__name__)


def promise(connection: Connection, fired: Mapping[str, int]) -> None:
    """Say that clips of alerts are to come, once each; `fired` says when they fired (Unix ms)."""
    here = connection.scalars(select(alerts.c.id).where(alerts.c.id.in_(fired), ~is_erased()))
    known = connection.scalars(select(evidence.c.alert).where(evidence.c.alert.in_(fired), _IS_CLIP))
    new = sorted(set(here) - set(known))
    if new:
        rows = [{"alert": alert, "path": _path(alert, fired[alert]), "fired_ms": fired[alert]} for alert in new]
        same = {"kind": CLIP, "missing": True, "size": 0, "why": PENDING}
        connection.execute(insert(evidence), [{**row, **same} for row in rows])


def lose(connection: Connection, now_ms: int, before_ms: int | None = None) -> int:
    """Say that pending clips will not come, of alerts that fired before `before_ms` or of all; return how many."""
    pending = update(evidence).where(_IS_CLIP, KEPT, evidence.c.why == PENDING)
    if before_ms is not None:
        pending = pending.where(evidence.c.fired_ms < before_ms)
    lost = connection.execute(pending.values(_gone(now_ms, "lost"))).rowcount
    if lost:
        log.warning("clips_lost", count=lost)
    return lost


class Clips:
    """`ports.ClipStore` on an open database and the disk beside it. Any thread may call it."""

    _database: Database
    _disk: Disk
    _clock: Clock

    def keep_clip(self, alert: str, write: Callable[[Path], object]) -> None:
        """Keep an alert's clip, if it is still to come: its row says so once the file is on disk."""
        path = self._promised(alert)
        if path is None:
            return
        try:
            self._disk.fill(path, write)
            file = self._disk.find(path) or File(0, 0.0)
        except Exception as error:  # noqa: BLE001 - an encoder raises what it likes, and nothing depends on the clip
            fault = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            log.error("clip_cannot_be_written", alert=alert, reason=fault)
            self.no_clip(alert, fault)
            return
        here = {"missing": False, "size": file.size, "why": None}
        with self._database.transaction() as connection:
            kept = connection.execute(update(evidence).where(evidence.c.alert == alert, _IS_CLIP, KEPT).values(here))
        if not kept.rowcount:  # forgotten or erased meanwhile
            self._disk.remove([path])

    def no_clip(self, alert: str, why: str) -> None:
        """Note why there is no clip of an alert that one was to come of."""
        if self._promised(alert) is not None:
            absent = _gone(self._clock.now().wall_ms, "not_written", why)
            with self._database.transaction() as connection:
                pending = update(evidence).where(evidence.c.alert == alert, _IS_CLIP, KEPT)
                connection.execute(pending.where(evidence.c.why == PENDING).values(absent))

    def lose_pending(self) -> None:
        """Say of what an earlier process promised that it will not come; a sweep has found what it had written."""
        with self._database.transaction(durable=False) as connection:
            lose(connection, self._clock.now().wall_ms)

    def _promised(self, alert: str) -> str | None:
        """Return where an alert's clip is to be; None when none is to come any more.

        Raises:
            StoreError: the alert is not recorded yet, or it can't be read.
        """
        refuse_strange_id(alert)
        with self._database.transaction() as connection:
            query = select(evidence.c.path, evidence.c.why, evidence.c.gone_ms)
            row = connection.execute(query.where(evidence.c.alert == alert, _IS_CLIP)).first()
            recorded = row or connection.scalar(select(alerts.c.id).where(alerts.c.id == alert))
        if not recorded:
            raise StoreError("STORE_FAILED", f"alert {alert} is not recorded yet")
        return row.path if row and row.why == PENDING and row.gone_ms is None else None


def _path(alert: str, fired_ms: int) -> str:
    return f"{datetime.fromtimestamp(fired_ms / 1000, UTC):%Y-%m-%d}/{alert}/{CLIP}.mp4"


def _gone(now_ms: int, why: Why, detail: str | None = None) -> dict[str, Any]:
    return {"missing": False, "size": 0, "gone_ms": now_ms, "why": why, "detail": detail}
