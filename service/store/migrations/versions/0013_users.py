"""Users: keys with a password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import TEXT

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the passwords; nobody has one yet."""
    op.add_column("api_keys", sa.Column("password", TEXT))


def downgrade() -> None:
    """Go back to keys alone; users are lost."""
    op.execute("DELETE FROM api_keys WHERE password IS NOT NULL")
    op.drop_column("api_keys", "password")
