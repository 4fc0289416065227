"""What people said of alerts, and indexes that hold all that a list of alerts is filtered by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import NUMBER, TEXT, only

revision = "0003"
down_revision = "0002"

_FILTERED = ("zone", "equipment", "severity", "ended_ms")


def upgrade() -> None:
    """Add them; nobody has said anything of the alerts that are there."""
    op.create_table(
        "marks",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("until_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_marks_alert", ondelete="CASCADE"),
    )
    op.create_index("ix_marks_alert", "marks", ["alert", "id"])
    op.add_column("alerts", sa.Column("acknowledged", sa.Boolean, nullable=False, server_default=sa.false()))
    op.drop_index("ix_alerts_fired", "alerts")
    op.drop_index("ix_alerts_camera_fired", "alerts")
    op.create_index("ix_alerts_fired", "alerts", ["fired_ms", "id", "camera", *_FILTERED, "acknowledged"])
    op.create_index("ix_alerts_camera_fired", "alerts", ["camera", "fired_ms", "id", *_FILTERED, "acknowledged"])
    op.create_index("ix_alerts_acknowledged_fired", "alerts", ["acknowledged", "fired_ms", "id", "camera", *_FILTERED])
    op.create_index("ix_alerts_open_fired", "alerts", ["fired_ms", "id"], **only(sa.text("ended_ms IS NULL")))


def downgrade() -> None:
    """Go back to the indexes of before; what people said is lost."""
    for name in ("open_fired", "acknowledged_fired", "camera_fired", "fired"):
        op.drop_index(f"ix_alerts_{name}", "alerts")
    op.drop_column("alerts", "acknowledged")
    op.create_index("ix_alerts_fired", "alerts", ["fired_ms", "id"])
    op.create_index("ix_alerts_camera_fired", "alerts", ["camera", "fired_ms", "id"])
    op.drop_table("marks")
