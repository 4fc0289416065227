"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import NUMBER, TEXT, only

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    _alerts()
    _outbox()
    _statistics()
    _recordings()


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("camera", "person", "zone", "equipment", "severity")),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("fired_s", sa.Float, nullable=False),
        sa.Column("fired_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_s", sa.Float, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_s", sa.Float),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("ending", TEXT),
        *(sa.Column(corner, sa.Float, nullable=False) for corner in ("x1", "y1", "x2", "y2")),
        sa.Column("by_absence", sa.Boolean, nullable=False),
        sa.Column("zone_uncertain", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_open", "alerts", ["camera"], **only(sa.text("ended_ms IS NULL")))
    op.create_index("ix_alerts_fired", "alerts", ["fired_ms", "id"])
    op.create_index("ix_alerts_camera_fired", "alerts", ["camera", "fired_ms", "id"])
    op.create_table(
        "alert_changes",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_changes"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_alert_changes_alert"),
        sa.UniqueConstraint("alert", "kind", "at_ms", name="uq_alert_changes_alert_kind_at_ms"),
    )
    op.create_table(
        "evidence",
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("missing", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("alert", "kind", name="pk_evidence"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_evidence_alert"),
        sa.UniqueConstraint("path", name="uq_evidence_path"),
    )


def _outbox() -> None:
    op.create_table(
        "messages",
        sa.Column("number", NUMBER, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("id", "type", "camera")),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_messages"),
        sa.UniqueConstraint("id", name="uq_messages_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("message", NUMBER, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_ms", sa.BigInteger, nullable=False),
        sa.Column("tried_ms", sa.BigInteger),
        sa.Column("error", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("message", "endpoint", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["message"], ["messages.number"], name="fk_deliveries_message"),
    )
    op.create_index(
        "ix_deliveries_pending",
        "deliveries",
        ["endpoint", "camera", "message"],
        **only(sa.text("state = 'pending'")),
    )
    op.create_index("ix_deliveries_dead", "deliveries", ["endpoint"], **only(sa.text("state = 'dead'")))


def _statistics() -> None:
    op.create_table(
        "person_seconds",
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("hour_ms", sa.BigInteger, nullable=False),
        sa.Column("equipment", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("camera", "hour_ms", "equipment", "state", name="pk_person_seconds"),
    )
    op.create_table(
        "heights",
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("hour_ms", sa.BigInteger, nullable=False),
        sa.Column("bin", sa.Integer, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("camera", "hour_ms", "bin", name="pk_heights"),
    )


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("last_ms", sa.BigInteger, nullable=False),
        sa.Column("written_ms", sa.BigInteger, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recordings_camera", "recordings", ["camera", "id"])
