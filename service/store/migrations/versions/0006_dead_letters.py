"""Endpoints that are sent nothing any more, and an index that lists what was given up, newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import TEXT, only

revision = "0006"
down_revision = "0005"

_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    """Add them; no endpoint is disabled yet."""
    op.create_table(
        "disabled_endpoints",
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name="pk_disabled_endpoints"),
    )
    op.drop_index("ix_deliveries_dead", "deliveries")
    op.create_index("ix_deliveries_dead", "deliveries", ["message", "endpoint"], **only(_DEAD))


def downgrade() -> None:
    """Go back to endpoints that are all sent to, and to one line for each camera."""
    op.execute(
        "UPDATE deliveries SET camera = (SELECT camera FROM messages WHERE messages.number = deliveries.message) "
        "WHERE camera LIKE '% replayed'"
    )
    op.drop_index("ix_deliveries_dead", "deliveries")
    op.create_index("ix_deliveries_dead", "deliveries", ["endpoint"], **only(_DEAD))
    op.drop_table("disabled_endpoints")
