"""What the outside was told of a camera, and a way to the alerts that were lost sight of a moment ago."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import TEXT, only

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; what was told until now is read off the messages that were sent."""
    op.create_index("ix_alerts_lost", "alerts", ["camera", "seen_ms"], **only(sa.text("ending = 'lost_sight'")))
    op.create_table(
        "told",
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("condition", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("camera", "condition", name="pk_told"),
    )
    if op.get_bind().dialect.name != "sqlite":  # the first of PostgreSQL's stores is newer than what was told
        return
    op.execute(
        """
        WITH said AS (
            SELECT number, camera,
                CASE type WHEN 'camera.cannot_judge'
                    THEN 'cannot_judge ' || json_extract(payload, '$.data.equipment') || ' mostly_unknown'
                    ELSE 'offline' END AS condition,
                CASE type WHEN 'camera.cannot_judge'
                    THEN json_extract(payload, '$.data.begins')
                    ELSE type = 'camera.offline' END AS holds
            FROM messages
            WHERE type IN ('camera.offline', 'camera.online', 'camera.cannot_judge')
                AND EXISTS (SELECT 1 FROM deliveries WHERE deliveries.message = messages.number)
        )
        INSERT INTO told (camera, condition)
        SELECT camera, condition FROM said
        WHERE holds AND number IN (SELECT max(number) FROM said GROUP BY camera, condition)
        """
    )
