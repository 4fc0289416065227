"""Person-seconds are told apart by zone; those of before have an empty zone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import TEXT

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the zone; what is there is not told apart."""
    _anew(["camera", "hour_ms", "zone", "equipment", "state"], "SELECT camera, hour_ms, '', equipment, state, seconds")


def downgrade() -> None:
    """Go back to sums over all zones."""
    key = ["camera", "hour_ms", "equipment", "state"]
    _anew(key, f"SELECT {', '.join(key)}, sum(seconds)", f"GROUP BY {', '.join(key)}")


def _anew(key: list[str], taken: str, grouped: str = "") -> None:
    """Make the table anew: SQLite can't change a key, and PostgreSQL keeps its name at a table that is renamed."""
    op.execute("CREATE TABLE person_seconds_before AS SELECT * FROM person_seconds")
    op.drop_table("person_seconds")
    op.create_table(
        "person_seconds",
        *(sa.Column(name, sa.BigInteger if name == "hour_ms" else TEXT, nullable=False) for name in key),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_person_seconds"),
    )
    op.execute(f"INSERT INTO person_seconds {taken} FROM person_seconds_before {grouped}")
    op.drop_table("person_seconds_before")
