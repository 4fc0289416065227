"""Alembic asks this file how to run; the connection and the transaction are the store's own."""

from __future__ import annotations

from alembic import context

from service.store.schema import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables,
    render_as_batch=True,  # SQLite changes a column only by copying its table
    transactional_ddl=True,
)
context.run_migrations()
