"""Evidence knows its age, its size and why it is gone; alerts can be held, and erasures are remembered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.portable import NUMBER, TEXT, only

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add them; the sizes of the stills that are there are filled in by the next sweep."""
    op.add_column("evidence", sa.Column("fired_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("evidence", sa.Column("size", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("evidence", sa.Column("gone_ms", sa.BigInteger))
    op.add_column("evidence", sa.Column("why", TEXT))
    op.add_column("evidence", sa.Column("detail", TEXT))
    op.execute("UPDATE evidence SET fired_ms = (SELECT fired_ms FROM alerts WHERE alerts.id = evidence.alert)")
    op.create_index(
        "ix_evidence_kept", "evidence", ["fired_ms", "alert", "kind", "size"], **only(sa.text("gone_ms IS NULL"))
    )
    op.create_index("ix_messages_created", "messages", ["created_ms"])
    op.create_table(
        "holds",
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("alert", name="pk_holds"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_holds_alert"),
    )
    op.create_table(
        "erasures",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("alert", TEXT),
        sa.Column("camera", TEXT),
        sa.Column("from_ms", sa.BigInteger),
        sa.Column("to_ms", sa.BigInteger),
        sa.Column("alerts", sa.Integer, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("finished_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "erased",
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("erasure", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("alert", name="pk_erased"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name="fk_erased_alert"),
        sa.ForeignKeyConstraint(["erasure"], ["erasures.id"], name="fk_erased_erasure"),
    )


def downgrade() -> None:
    """Go back to stills that are there or not; holds and tombstones are lost."""
    for table in ("erased", "erasures", "holds"):
        op.drop_table(table)
    op.drop_index("ix_messages_created", "messages")
    op.drop_index("ix_evidence_kept", "evidence")
    op.execute("DELETE FROM evidence WHERE gone_ms IS NOT NULL")
    for column in ("detail", "why", "gone_ms", "size", "fired_ms"):
        op.drop_column("evidence", column)
