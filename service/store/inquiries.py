"""What is asked of the store, as queries: pages of alerts, what people said of them, person-seconds in groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, RowMapping, case, func, insert, null, select, update

from service.inquiry import Grouping, History, Listed, Mark, MarkKind, Place, Share, Span, Wanted
from service.store import ledger, pages
from service.store.evidence import kinds
from service.store.observed import person_seconds
from service.store.schema import KEPT, alerts, evidence, marks


def find(connection: Connection, wanted: Wanted, most: int, before: Place | None) -> list[Listed]:
    """Return at most `most` alerts, newest first, that stand behind a place."""
    ids = pages.page(connection, wanted, most, before)
    found = connection.execute(select(alerts).where(alerts.c.id.in_(ids))).mappings()
    known = {row["id"]: ledger.alert_of(row) for row in found}
    said, stills = _newest_marks(connection, ids), _kinds(connection, ids)
    return [Listed(known[one], said[one], tuple(stills[one])) for one in ids]


def _newest_marks(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Mark, ...]]:
    newest: dict[str, dict[str, Mark]] = defaultdict(dict)
    for row in connection.execute(select(marks).where(marks.c.alert.in_(ids)).order_by(marks.c.id)).mappings():
        newest[row["alert"]][row["kind"]] = _mark(row)
    return {one: tuple(newest[one].values()) for one in ids}


def _kinds(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    there = (evidence.c.missing.is_(False), KEPT)
    query = select(evidence.c.alert, evidence.c.kind).where(evidence.c.alert.in_(ids), *there)
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(evidence.c.kind)):
        found[row.alert].append(row.kind)
    return found


def history(connection: Connection, alert: str) -> History | None:
    """Return an alert with what happened to it and what was said of it, or None."""
    found = ledger.one(connection, alert)
    if found is None:
        return None
    said = connection.execute(select(marks).where(marks.c.alert == alert).order_by(marks.c.id)).mappings()
    return History(*found, kinds(connection, alert), tuple(_mark(row) for row in said))


def mark(connection: Connection, alert: str, said: Mark) -> None:
    """Keep what was said of an alert that is kept; what only repeats the newest mark of its kind is left out."""
    of_it = select(marks).where(marks.c.alert == alert, marks.c.kind == said.kind)
    newest = connection.execute(of_it.order_by(marks.c.id.desc()).limit(1)).mappings().first()
    if said.repeats(_mark(newest) if newest else None):
        return
    row = {"kind": said.kind, "at_ms": said.at_ms, "by": said.by, "note": said.note, "until_ms": said.until_ms}
    connection.execute(insert(marks), {"alert": alert, **row})
    if said.kind == "acknowledged":
        connection.execute(update(alerts).where(alerts.c.id == alert).values(acknowledged=True))


def marked(connection: Connection, kind: MarkKind, since_ms: int) -> list[str]:
    """Return the ids of alerts that fired since then (Unix ms) and have a mark of a kind, newest first."""
    query = select(alerts.c.id).where(
        alerts.c.id.in_(select(marks.c.alert).where(marks.c.kind == kind)), alerts.c.fired_ms >= since_ms
    )
    return list(connection.scalars(query.order_by(alerts.c.fired_ms.desc(), alerts.c.id.desc())))


def _mark(row: RowMapping) -> Mark:
    return Mark(row["kind"], row["at_ms"], row["by"], row["note"], row["until_ms"])


def compliance(connection: Connection, span: Span, by: Collection[Grouping]) -> list[Share]:
    """Return person-seconds by state in groups, ordered by camera, zone, equipment and hour."""
    columns = person_seconds.c
    groups = {"camera": columns.camera, "zone": columns.zone, "equipment": columns.equipment, "hour": columns.hour_ms}
    wanted = [column for name, column in groups.items() if name in by]
    conditions = [columns.hour_ms >= span.from_ms, columns.hour_ms < span.to_ms]
    if span.camera is not None:
        conditions.append(columns.camera == span.camera)
    if span.zone is not None:
        conditions.append(columns.zone == span.zone)
    if span.equipment is not None:
        conditions.append(columns.equipment == span.equipment)
    sums = [
        func.coalesce(func.sum(case((columns.state == state, columns.seconds), else_=0.0)), 0.0)
        for state in ("worn", "missing", "unknown")
    ]
    shown = [column if name in by else null() for name, column in groups.items()]
    query = select(*shown, *sums).where(*conditions).group_by(*wanted).order_by(*wanted).having(func.count() > 0)
    return [Share(*row) for row in connection.execute(query)]
