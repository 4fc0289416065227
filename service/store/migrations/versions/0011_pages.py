"""The series of alerts, so that what is rare among millions is found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import TEXT

revision = "0011"
down_revision = "0010"

_SERIES = ("camera", "zone", "equipment", "severity")
_FILTERED = ("zone", "equipment", "severity", "ended_ms")


def upgrade() -> None:
    """Add them, with what is there."""
    op.create_table(
        "series",
        *(sa.Column(name, TEXT, nullable=False) for name in _SERIES),
        sa.PrimaryKeyConstraint(*_SERIES, name="pk_series"),
    )
    op.execute(
        "INSERT INTO series (camera, zone, equipment, severity) "
        "SELECT DISTINCT camera, zone, equipment, severity FROM alerts"
    )
    op.drop_index("ix_alerts_acknowledged_fired", "alerts")
    op.create_index("ix_alerts_series", "alerts", [*_SERIES, "acknowledged", "fired_ms", "id", "ended_ms"])


def downgrade() -> None:
    """Go back to an index of what was acknowledged."""
    op.drop_index("ix_alerts_series", "alerts")
    op.create_index("ix_alerts_acknowledged_fired", "alerts", ["acknowledged", "fired_ms", "id", "camera", *_FILTERED])
    op.drop_table("series")
