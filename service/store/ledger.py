"""Alerts and what happened to them, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from service.inquiry import Change
from service.safety.alerts import Alert, AlertChange
from service.safety.moment import Moment
from service.store.portable import insert
from service.store.schema import LOST, SERIES, alert_changes, alerts, series

_NEVER: Final = ("id", "acknowledged")
"""What a change leaves as it is: what people say of an alert is not the watch's."""
_UPSERT: Final = insert(alerts)
_KEEP_ALERT: Final = _UPSERT.on_conflict_do_update(
    index_elements=[alerts.c.id],
    set_={column.name: _UPSERT.excluded[column.name] for column in alerts.columns if column.name not in _NEVER},
)
_KEEP_CHANGE: Final = insert(alert_changes)
_KEEP_SERIES: Final = insert(series).on_conflict_do_nothing()
_TOUCH: Final = (
    update(alerts)
    .where(alerts.c.id == bindparam("alert"), alerts.c.ended_ms.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("seen_s", "seen_ms", "x1", "y1", "x2", "y2")})
)


def keep(connection: Connection, changes: Iterable[AlertChange]) -> None:
    """Keep changes and the alerts as they left them; a change that is kept already leaves its alert alone."""
    for change in changes:
        key = {"alert": change.alert.id, "kind": change.kind, "at_ms": change.at.wall_ms}
        known = select(alert_changes.c.id).where(*(alert_changes.c[name] == value for name, value in key.items()))
        if connection.execute(known).first() is None:
            row = _row(change.alert)
            connection.execute(_KEEP_ALERT, row)
            connection.execute(_KEEP_SERIES, {name: row[name] for name in SERIES})
            connection.execute(_KEEP_CHANGE, {**key, "at_s": change.at.seconds})


def touch(connection: Connection, seen: Sequence[Alert]) -> None:
    """Keep where and when open alerts were last seen; ended ones stay as they are."""
    rows = [
        {
            "alert": alert.id,
            "new_seen_s": alert.seen.seconds,
            "new_seen_ms": alert.seen.wall_ms,
            **{
                f"new_{corner}": float(value) for corner, value in zip(("x1", "y1", "x2", "y2"), alert.box, strict=True)
            },
        }
        for alert in seen
    ]
    connection.execute(_TOUCH, rows)


def open_of(connection: Connection, camera: str, lost_since_ms: int | None = None) -> list[Alert]:
    """Return a camera's open alerts, and those that were lost sight of and last seen since then, oldest first."""
    query = select(alerts).where(alerts.c.camera == camera, alerts.c.ended_ms.is_(None))
    found = list(connection.execute(query).mappings())
    if lost_since_ms is not None:
        lost = select(alerts).where(alerts.c.camera == camera, LOST, alerts.c.seen_ms >= lost_since_ms)
        found += connection.execute(lost).mappings()
    return sorted((alert_of(row) for row in found), key=lambda alert: (alert.fired.wall_ms, alert.id))


def cameras_with_open(connection: Connection) -> list[str]:
    """Return the cameras that have open alerts, sorted."""
    query = select(alerts.c.camera).where(alerts.c.ended_ms.is_(None)).distinct().order_by(alerts.c.camera)
    return list(connection.scalars(query))


def one(connection: Connection, alert: str) -> tuple[Alert, tuple[Change, ...]] | None:
    """Return an alert and what happened to it, or None."""
    row = connection.execute(select(alerts).where(alerts.c.id == alert)).mappings().first()
    if row is None:
        return None
    query = select(alert_changes).where(alert_changes.c.alert == alert).order_by(alert_changes.c.id)
    found = connection.execute(query).mappings()
    return alert_of(row), tuple(Change(change["kind"], _moment(change, "at")) for change in found)


def fired_ms(connection: Connection, alert: str) -> int | None:
    """Return when an alert fired, or None when it is not kept."""
    found: int | None = connection.scalar(select(alerts.c.fired_ms).where(alerts.c.id == alert))
    return found


def _row(alert: Alert) -> dict[str, Any]:
    x1, y1, x2, y2 = map(float, alert.box)
    return {
        "id": alert.id,
        "camera": alert.camera,
        "person": alert.person,
        "zone": alert.zone,
        "equipment": alert.equipment,
        "severity": alert.severity,
        **_columns("since", alert.since),
        **_columns("fired", alert.fired),
        **_columns("seen", alert.seen),
        **_columns("ended", alert.ended),
        "ending": alert.ending,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "by_absence": alert.by_absence,
        "zone_uncertain": alert.zone_uncertain,
    }


def alert_of(row: RowMapping) -> Alert:
    """Return the alert that a row holds."""
    return Alert(
        id=row["id"],
        camera=row["camera"],
        person=row["person"],
        zone=row["zone"],
        equipment=row["equipment"],
        severity=row["severity"],
        since=_moment(row, "since"),
        fired=_moment(row, "fired"),
        seen=_moment(row, "seen"),
        box=(row["x1"], row["y1"], row["x2"], row["y2"]),
        ended=None if row["ended_ms"] is None else _moment(row, "ended"),
        ending=row["ending"],
        by_absence=row["by_absence"],
        zone_uncertain=row["zone_uncertain"],
    )


def _columns(name: str, at: Moment | None) -> dict[str, Any]:
    return {f"{name}_s": at and at.seconds, f"{name}_ms": at and at.wall_ms}


def _moment(row: RowMapping, name: str) -> Moment:
    return Moment(row[f"{name}_s"], row[f"{name}_ms"])
