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
    ForeignKeyConstraint,
    FromClause,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
    literal_column,
    text,
)

from service.store import observed
from service.store.portable import NUMBER, TEXT, only

tables = observed.tables


def _moment(name: str, *, nullable: bool = False) -> tuple[Column[Any], Column[Any]]:
    return Column(f"{name}_s", Float, nullable=nullable), Column(f"{name}_ms", BigInteger, nullable=nullable)


alerts = Table(
    "alerts",
    tables,
    Column("id", TEXT, primary_key=True),
    Column("camera", TEXT, nullable=False),
    Column("person", TEXT, nullable=False),
    Column("zone", TEXT, nullable=False),
    Column("equipment", TEXT, nullable=False),
    Column("severity", TEXT, nullable=False),
    *_moment("since"),
    *_moment("fired"),
    *_moment("seen"),
    *_moment("ended", nullable=True),
    Column("ending", TEXT),
    *(Column(corner, Float, nullable=False) for corner in ("x1", "y1", "x2", "y2")),
    Column("by_absence", Boolean, nullable=False),
    Column("zone_uncertain", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False, server_default=false()),
)
# written out, not bound: SQLite uses a partial index only where it can read that the condition holds
LOST = alerts.c.ending == literal_column("'lost_sight'")
Index("ix_alerts_open", alerts.c.camera, **only(alerts.c.ended_ms.is_(None)))
Index("ix_alerts_lost", alerts.c.camera, alerts.c.seen_ms, **only(LOST))
# these hold all that a list is filtered by, so that passing over what does not fit reads no row
_FILTERED = [alerts.c[name] for name in ("zone", "equipment", "severity", "ended_ms")]
_PLACE = [alerts.c.fired_ms, alerts.c.id]
Index("ix_alerts_fired", *_PLACE, alerts.c.camera, *_FILTERED, alerts.c.acknowledged)
Index("ix_alerts_camera_fired", alerts.c.camera, *_PLACE, *_FILTERED, alerts.c.acknowledged)
SERIES = ("camera", "zone", "equipment", "severity")
"""What the alerts of one series have in common."""
Index("ix_alerts_series", *(alerts.c[name] for name in (*SERIES, "acknowledged", "fired_ms", "id", "ended_ms")))
Index("ix_alerts_open_fired", *_PLACE, **only(alerts.c.ended_ms.is_(None)))

# every series that there was an alert of
series = Table("series", tables, *(Column(name, TEXT, primary_key=True) for name in SERIES))

alert_changes = Table(
    "alert_changes",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("alert", TEXT, ForeignKey("alerts.id"), nullable=False),
    Column("kind", TEXT, nullable=False),
    *_moment("at"),
    UniqueConstraint("alert", "kind", "at_ms"),
)

marks = Table(
    "marks",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("alert", TEXT, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Column("until_ms", BigInteger),
)
Index("ix_marks_alert", marks.c.alert, marks.c.id)

evidence = Table(
    "evidence",
    tables,
    Column("alert", TEXT, ForeignKey("alerts.id"), primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("path", TEXT, nullable=False, unique=True),
    Column("missing", Boolean, nullable=False, server_default=false()),
    Column("fired_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("size", BigInteger, nullable=False, server_default=text("0")),
    Column("gone_ms", BigInteger),
    Column("why", TEXT),
    Column("detail", TEXT),
)
KEPT = evidence.c.gone_ms.is_(None)
Index(
    "ix_evidence_kept",
    *(evidence.c[name] for name in ("fired_ms", "alert", "kind", "size")),
    **only(KEPT),
)

holds = Table(
    "holds",
    tables,
    Column("alert", TEXT, ForeignKey("alerts.id"), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("why", TEXT, nullable=False),
)

erasures = Table(
    "erasures",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("asked_by", TEXT, nullable=False),
    Column("alert", TEXT),
    Column("camera", TEXT),
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
    Column("alert", TEXT, ForeignKey("alerts.id"), primary_key=True),
    Column("erasure", NUMBER, ForeignKey("erasures.id"), nullable=False),
)

messages = Table(
    "messages",
    tables,
    Column("number", NUMBER, primary_key=True),
    Column("id", TEXT, nullable=False, unique=True),
    Column("type", TEXT, nullable=False),
    Column("camera", TEXT, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("payload", TEXT, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_messages_created", messages.c.created_ms)

deliveries = Table(
    "deliveries",
    tables,
    Column("message", NUMBER, ForeignKey("messages.number"), primary_key=True),
    Column("endpoint", TEXT, primary_key=True),
    Column("camera", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("tried_ms", BigInteger),
    Column("error", TEXT, nullable=False),
)
PENDING = deliveries.c.state == literal_column("'pending'")


def is_pending(row: FromClause) -> ColumnElement[bool]:
    """Say of an alias of `deliveries` what `PENDING` says of the table."""
    return row.c.state == literal_column("'pending'")


DEAD = deliveries.c.state == literal_column("'dead'")
Index("ix_deliveries_pending", deliveries.c.endpoint, deliveries.c.camera, deliveries.c.message, **only(PENDING))
Index("ix_deliveries_dead", deliveries.c.message, deliveries.c.endpoint, **only(DEAD))

# which process sends what, where several share one database; until when is told by the database's own clock
leases = Table(
    "leases",
    tables,
    Column("message", NUMBER, primary_key=True),
    Column("endpoint", TEXT, primary_key=True),
    Column("lessee", TEXT, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["message", "endpoint"], ["deliveries.message", "deliveries.endpoint"], ondelete="CASCADE"),
)

# the folder of the evidence, where the database does not lie in it
folders = Table("folders", tables, Column("id", TEXT, primary_key=True))

disabled_endpoints = Table(
    "disabled_endpoints",
    tables,
    Column("endpoint", TEXT, primary_key=True),
    Column("address", TEXT, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("why", TEXT, nullable=False),
)

told = Table(
    "told",
    tables,
    Column("camera", TEXT, primary_key=True),
    Column("condition", TEXT, primary_key=True),
)

api_keys = Table(
    "api_keys",
    tables,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("hash", TEXT, nullable=False),
    Column("scopes", TEXT, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("password", TEXT),
)

# triggers of the migration refuse every change of a row and every removal
audit = Table(
    "audit",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("key", TEXT),
    Column("name", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("object", TEXT, nullable=False),
    Column("outcome", TEXT, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1")),
    sqlite_autoincrement=True,
)

# `post`: the post that told of it; 0: it was let go; without one it is fresh
notices = Table(
    "notices",
    tables,
    Column("channel", TEXT, primary_key=True),
    Column("message", NUMBER, ForeignKey("messages.number", ondelete="CASCADE"), primary_key=True),
    Column("alert", TEXT),
    Column("post", NUMBER),
)
Index("ix_notices_fresh", notices.c.channel, notices.c.message, **only(notices.c.post.is_(None)))
Index("ix_notices_post", notices.c.post)

posts = Table(
    "posts",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("channel", TEXT, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("about", TEXT, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_posts_channel_at_ms", posts.c.channel, posts.c.at_ms)

speakers = Table(
    "speakers",
    tables,
    Column("channel", TEXT, primary_key=True),
    Column("who", TEXT, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
