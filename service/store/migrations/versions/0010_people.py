"""What people are to be told, what they were posted, and which process speaks to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import NUMBER, TEXT, only

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    """Add them; nobody is to be told anything yet."""
    op.create_table(
        "notices",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("message", NUMBER, nullable=False),
        sa.Column("alert", TEXT),
        sa.Column("post", NUMBER),
        sa.PrimaryKeyConstraint("channel", "message", name="pk_notices"),
        sa.ForeignKeyConstraint(["message"], ["messages.number"], name="fk_notices_message", ondelete="CASCADE"),
    )
    op.create_index("ix_notices_fresh", "notices", ["channel", "message"], **only(sa.text("post IS NULL")))
    op.create_index("ix_notices_post", "notices", ["post"])
    op.create_table(
        "posts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("about", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_posts_channel_at_ms", "posts", ["channel", "at_ms"])
    op.create_table(
        "speakers",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_speakers"),
    )


def downgrade() -> None:
    """Go back to a store that tells people nothing; what waited for them is lost."""
    for table in ("speakers", "posts", "notices"):
        op.drop_table(table)
