"""The tables. Moments are two columns: seconds on the clock of the run that wrote them, and Unix milliseconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

tables = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _moment(name: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    return Column(f"{name}_s", Float, nullable=nullable), Column(f"{name}_ms", BigInteger, nullable=nullable)


alerts = Table(
    "alerts",
    tables,
    Column("id", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("severity", Text, nullable=False),
    *_moment("since"),
    *_moment("fired"),
    *_moment("seen"),
    *_moment("ended", nullable=True),
    Column("ending", Text),
    *(Column(corner, Float, nullable=False) for corner in ("x1", "y1", "x2", "y2")),
    Column("by_absence", Boolean, nullable=False),
    Column("zone_uncertain", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False, server_default=text("0")),
)
# written out, not bound: SQLite uses a partial index only where it can read that the condition holds
LOST = alerts.c.ending == literal_column("'lost_sight'")
Index("ix_alerts_open", alerts.c.camera, sqlite_where=alerts.c.ended_ms.is_(None))
Index("ix_alerts_lost", alerts.c.camera, alerts.c.seen_ms, sqlite_where=LOST)
# these hold all that a list is filtered by, so that passing over what does not fit reads no row
_FILTERED = [alerts.c[name] for name in ("zone", "equipment", "severity", "ended_ms")]
_PLACE = [alerts.c.fired_ms, alerts.c.id]
Index("ix_alerts_fired", *_PLACE, alerts.c.camera, *_FILTERED, alerts.c.acknowledged)
Index("ix_alerts_camera_fired", alerts.c.camera, *_PLACE, *_FILTERED, alerts.c.acknowledged)
Index("ix_alerts_acknowledged_fired", alerts.c.acknowledged, *_PLACE, alerts.c.camera, *_FILTERED)
Index("ix_alerts_open_fired", *_PLACE, sqlite_where=alerts.c.ended_ms.is_(None))

alert_changes = Table(
    "alert_changes",
    tables,
    Column("id", Integer, primary_key=True),
    Column("alert", Text, ForeignKey("alerts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    *_moment("at"),
    UniqueConstraint("alert", "kind", "at_ms"),
)

marks = Table(
    "marks",
    tables,
    Column("id", Integer, primary_key=True),
    Column("alert", Text, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("until_ms", BigInteger),
)
Index("ix_marks_alert", marks.c.alert, marks.c.id)

evidence = Table(
    "evidence",
    tables,
    Column("alert", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("missing", Boolean, nullable=False, server_default=text("0")),
    Column("fired_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    Column("gone_ms", BigInteger),
    Column("why", Text),
    Column("detail", Text),
)
KEPT = evidence.c.gone_ms.is_(None)
Index(
    "ix_evidence_kept",
    *(evidence.c[name] for name in ("fired_ms", "alert", "kind", "size")),
    sqlite_where=KEPT,
)

holds = Table(
    "holds",
    tables,
    Column("alert", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
)

erasures = Table(
    "erasures",
    tables,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("alert", Text),
    Column("camera", Text),
    Column("from_ms", BigInteger),
    Column("to_ms", BigInteger),
    Column("alerts", Integer, nullable=False),
    Column("files", Integer, nullable=False),
    Column("finished_ms", BigInteger),
    sqlite_autoincrement=True,
)

erased = Table(
    "erased",
    tables,
    Column("alert", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("erasure", Integer, ForeignKey("erasures.id"), nullable=False),
)

messages = Table(
    "messages",
    tables,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_messages_created", messages.c.created_ms)

deliveries = Table(
    "deliveries",
    tables,
    Column("message", Integer, ForeignKey("messages.number"), primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("tried_ms", BigInteger),
    Column("error", Text, nullable=False),
)
PENDING = deliveries.c.state == literal_column("'pending'")


def is_pending(row: FromClause) -> ColumnElement[bool]:
    """Say of an alias of `deliveries` what `PENDING` says of the table."""
    return row.c.state == literal_column("'pending'")


DEAD = deliveries.c.state == literal_column("'dead'")
Index("ix_deliveries_pending", deliveries.c.endpoint, deliveries.c.camera, deliveries.c.message, sqlite_where=PENDING)
Index("ix_deliveries_dead", deliveries.c.message, deliveries.c.endpoint, sqlite_where=DEAD)

disabled_endpoints = Table(
    "disabled_endpoints",
    tables,
    Column("endpoint", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
)

told = Table(
    "told",
    tables,
    Column("camera", Text, primary_key=True),
    Column("condition", Text, primary_key=True),
)

person_seconds = Table(
    "person_seconds",
    tables,
    Column("camera", Text, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("equipment", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("seconds", Float, nullable=False),
)

heights = Table(
    "heights",
    tables,
    Column("camera", Text, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("bin", Integer, primary_key=True),
    Column("people", Integer, nullable=False),
)

recordings = Table(
    "recordings",
    tables,
    Column("id", Integer, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("written_ms", BigInteger, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_recordings_camera", recordings.c.camera, recordings.c.id)

api_keys = Table(
    "api_keys",
    tables,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("revoked_ms", BigInteger),
)

# triggers of the migration refuse every change of a row and every removal
audit = Table(
    "audit",
    tables,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("key", Text),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1")),
    sqlite_autoincrement=True,
)
