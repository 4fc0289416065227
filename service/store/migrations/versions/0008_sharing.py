"""Who sends what, and where the evidence lies, of a database that several processes share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import NUMBER, TEXT

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Add them; nobody sends anything yet."""
    op.create_table(
        "leases",
        sa.Column("message", NUMBER, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("lessee", TEXT, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("message", "endpoint", name="pk_leases"),
        sa.ForeignKeyConstraint(
            ["message", "endpoint"],
            ["deliveries.message", "deliveries.endpoint"],
            name="fk_leases_message",
            ondelete="CASCADE",
        ),
    )
    op.create_table("folders", sa.Column("id", TEXT, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_folders"))


def downgrade() -> None:
    """Go back to a database of one process."""
    op.drop_table("folders")
    op.drop_table("leases")
