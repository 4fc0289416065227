"""Where evidence pictures are: a row a still, also of those that are gone. Files are found only through their rows."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

import structlog
from sqlalchemy import Connection, bindparam, select, tuple_, update

from service.ports import Still
from service.store.disk import ID, Disk, File
from service.store.portable import insert
from service.store.schema import KEPT, evidence

Why = Literal["age", "size", "space", "erased", "not_written", "lost"]
"""Why a still or clip is gone: too old, too much evidence, too little free disk; erased on request; never on disk, or
cut off by the end of the process."""
PENDING: Final = "pending"
"""Stands in the place of why of what is to come (`clips`)."""
MISSING: Final = "missing"
"""Why there is no file though its row says nothing: somebody removed it."""
GIVEN_UP: Final = "it waited in memory for a store that could not be written, and was too much"
_PAGE: Final = 500
_KEEP: Final = insert(evidence)
_PLACE: Final = (evidence.c.fired_ms, evidence.c.alert, evidence.c.kind)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A still that is on disk under a path relative to the evidence folder; or is not, and `fault` says why."""

    still: Still
    path: str
    fired_ms: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A still that is kept, as its row says; `missing`: its file was not there when somebody looked."""

    fired_ms: int
    alert: str
    kind: str
    path: str
    size: int
    missing: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A still that was there or should have been: since when it is gone (Unix ms), why, and what more is known."""

    at_ms: int
    why: Why
    detail: str


def refuse_strange_id(alert: str) -> None:
    """Raise ValueError when an alert's id could not name a folder."""
    if not ID.fullmatch(alert):
        raise ValueError(f"{alert!r} is no alert id: expected 1 to 64 of 0-9 A-Z a-z _ -")


class Pictures:
    """Writes stills to the disk; says once in the log when that fails, and once when it works again."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._failing = False

    def write(self, still: Still, fired_ms: int) -> Written:
        """Write a still of an alert that fired then; one that can't be written takes nothing else with it."""
        day = datetime.fromtimestamp(fired_ms / 1000, UTC).strftime("%Y-%m-%d")
        path = f"{day}/{still.alert}/{still.kind}.jpg"
        if not still.jpeg:
            return Written(still, path, fired_ms, GIVEN_UP)
        try:
            self._disk.write(path, still.jpeg)
        except OSError as error:
            fault = error.strerror or type(error).__name__
            with self._lock:
                if not self._failing:
                    log.error("evidence_cannot_be_written", alert=still.alert, reason=fault)
                self._failing = True
            return Written(still, path, fired_ms, fault)
        with self._lock:
            if self._failing:
                log.info("evidence_is_written_again", alert=still.alert)
            self._failing = False
        return Written(still, path, fired_ms)


def keep(connection: Connection, stills: Iterable[Written], now_ms: int) -> None:
    """Keep where stills are: a newer one of a kind takes an older one's place, one that was not written takes none."""
    for one in stills:
        row = {
            "alert": one.still.alert,
            "kind": one.still.kind,
            "path": one.path,
            "missing": False,
            "fired_ms": one.fired_ms,
            "size": 0 if one.fault else len(one.still.jpeg),
            "gone_ms": now_ms if one.fault else None,
            "why": "not_written" if one.fault else None,
            "detail": one.fault or None,
        }
        keys = [evidence.c.alert, evidence.c.kind]
        if one.fault:
            connection.execute(_KEEP.on_conflict_do_nothing(index_elements=keys), row)
        else:
            fresh = {name: _KEEP.excluded[name] for name in row if name not in {"alert", "kind"}}
            connection.execute(_KEEP.on_conflict_do_update(index_elements=keys, set_=fresh), row)


def forgotten(connection: Connection, alerts: Collection[str]) -> set[tuple[str, str]]:
    """Return the alert and kind of those of their stills that were removed on purpose, and so don't come back."""
    why = [one for one in get_args(Why) if one not in {"not_written", "lost"}]
    query = select(evidence.c.alert, evidence.c.kind).where(evidence.c.alert.in_(alerts), evidence.c.why.in_(why))
    return {(row.alert, row.kind) for row in connection.execute(query)}


def kinds(connection: Connection, alert: str) -> tuple[str, ...]:
    """Return which stills of an alert are there."""
    query = select(evidence.c.kind).where(evidence.c.alert == alert, KEPT, evidence.c.missing.is_(False))
    return tuple(connection.scalars(query.order_by(evidence.c.kind)))


def path_of(connection: Connection, alert: str, kind: str) -> str | None:
    """Return where a still is, relative to the evidence folder, or None."""
    query = select(evidence.c.path).where(
        evidence.c.alert == alert, evidence.c.kind == kind, KEPT, evidence.c.missing.is_(False)
    )
    found: str | None = connection.scalar(query)
    return found


def gone(connection: Connection, alert: str, kind: str) -> Gone | None:
    """Return since when and why a still is gone; None when it is there, or never was to be."""
    query = select(evidence.c.gone_ms, evidence.c.why, evidence.c.detail).where(
        evidence.c.alert == alert, evidence.c.kind == kind, ~KEPT
    )
    row = connection.execute(query).first()
    return None if row is None else Gone(row.gone_ms, row.why, row.detail or "")


def why_not(connection: Connection, alert: str, kind: str) -> str | None:
    """Return why a still or clip is not there: a `Why`, PENDING or MISSING; None when it is, or never was to be."""
    query = select(evidence.c.why, evidence.c.missing).where(evidence.c.alert == alert, evidence.c.kind == kind)
    row = connection.execute(query).first()
    return None if row is None else row.why or (MISSING if row.missing else None)


def page(connection: Connection, from_ms: int, to_ms: int, after: tuple[int, str, str], most: int = _PAGE) -> list[Row]:
    """Return kept stills of alerts that fired in [from_ms, to_ms), in order, behind (fired_ms, alert, kind)."""
    query = select(*_PLACE, evidence.c.path, evidence.c.size, evidence.c.missing, evidence.c.why)
    within = (KEPT, evidence.c.fired_ms >= from_ms, evidence.c.fired_ms < to_ms, tuple_(*_PLACE) > after)
    return [Row(*row) for row in connection.execute(query.where(*within).order_by(*_PLACE).limit(most))]


def next_fired_ms(connection: Connection, from_ms: int) -> int | None:
    """Return when the next alert fired, from then on, that has evidence; None after the last."""
    query = select(evidence.c.fired_ms).where(KEPT, evidence.c.fired_ms >= from_ms)
    found: int | None = connection.scalar(query.order_by(evidence.c.fired_ms).limit(1))
    return found


def correct(connection: Connection, found: Sequence[tuple[Row, File | None]]) -> None:
    """Say in rows what the disk has: a size in bytes, or no file."""
    changed = [
        {"of": row.alert, "one": row.kind, "is_missing": file is None, "bytes": 0 if file is None else file.size}
        for row, file in found
        if row.missing != (file is None) or row.size != (0 if file is None else file.size)
    ]
    if changed:
        change = update(evidence).where(evidence.c.alert == bindparam("of"), evidence.c.kind == bindparam("one"))
        # what is found is pending no more
        connection.execute(change.values(missing=bindparam("is_missing"), size=bindparam("bytes"), why=None), changed)


def remove(connection: Connection, alerts: Collection[str], now_ms: int, why: Why) -> list[str]:
    """Say that all kept evidence of alerts is gone from now on; return the paths, whose files go next."""
    if not alerts:
        return []
    paths = kept_paths(connection, alerts)
    connection.execute(update(evidence).where(evidence.c.alert.in_(alerts), KEPT).values(gone_ms=now_ms, why=why))
    if why == "erased":
        late = update(evidence).where(evidence.c.alert.in_(alerts), evidence.c.why != "erased")
        connection.execute(late.values(why="erased", detail=None))
    return paths


def kept_paths(connection: Connection, alerts: Collection[str]) -> list[str]:
    """Return where the kept stills of alerts are."""
    query = select(evidence.c.path).where(evidence.c.alert.in_(alerts), KEPT)
    return list(connection.scalars(query.order_by(evidence.c.path)))
