"""A database is brought to this program's tables, or refused; nothing is ever created over rows that are there."""

from __future__ import annotations

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from service.store.errors import StoreError

log = structlog.get_logger(__name__)


def upgrade(connection: Connection) -> None:
    """Apply the migrations that a database lacks, in the transaction that `connection` is in.

    Raises:
        StoreError: STORE_VERSION, when it was written by a newer program or by something else.
    """
    config = Config()
    config.set_main_option("script_location", "service.store:migrations")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    strange = sorted(set(found) - known)
    if strange:
        raise StoreError(
            "STORE_VERSION",
            f"the database is of revision {', '.join(strange)}, which this version does not know: it was written by a "
            "newer one; install that, or start with another folder",
        )
    if not found and inspect(connection).get_table_names():
        raise StoreError(
            "STORE_VERSION",
            "the database has tables but no revision: it is not this program's; start with another folder",
        )
    if tuple(scripts.get_heads()) != found:
        command.upgrade(config, "head")
        log.info("store_upgraded", found=found[0] if found else None, now=scripts.get_current_head())
