"""``ppe store backup|restore``: a store becomes one file while a service runs on it, and a file becomes a store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.opening import settings_for
from service.cli.stored import size_words, tell, told_time
from service.cli.terminal import refuse, say, shown

if TYPE_CHECKING:
    from service.store.copies import Backup

store = typer.Typer(no_args_is_help=True, help="Back up the store, while a service runs or not, and restore it.")

BACKUP_EXAMPLES: Final = """
**Examples**

`ppe store backup /backup/ppe-2026-05-03.tar`

`ppe store restore /backup/ppe-2026-05-03.tar --into /var/lib/ppe-restored`

**Exit codes**: 0 done and checked; 2 nothing was written.
"""
_POSTGRESQL: Final = (
    "the database is PostgreSQL's (PPE_DATABASE), which has means of its own: pg_dump --format=custom --file=FILE, and "
    "after it, not before, a copy of the folder {folder}; pg_restore brings it back"
)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(store, name="store")


@store.command("backup", epilog=BACKUP_EXAMPLES)
def backup_command(
    file: Annotated[Path, typer.Argument(help="The archive to write; it must not exist.", show_default=False)],
    evidence: Annotated[
        bool, typer.Option("--evidence/--without-evidence", help="With the pictures and clips, or the database alone.")
    ] = True,
) -> None:
    """Write the store in PPE_STORE to one file, a tar archive, and check it. A service may run on it."""
    from service.store.copies import back_up
    from service.store.errors import StoreError

    settings = settings_for()
    if settings.database:
        refuse(_POSTGRESQL.format(folder=settings.store))
    if not (settings.store / "ppe.db").is_file():
        refuse(f"there is no store in {settings.store}; set PPE_STORE to the folder of the service")
    try:
        made = back_up(settings.store, file, time.time_ns() // 1_000_000, evidence=evidence)
    except (FileExistsError, StoreError) as error:
        refuse(str(error))
    tell(f"{shown(str(file))}: {_words(made)}")


@store.command("restore", epilog=BACKUP_EXAMPLES)
def restore_command(
    file: Annotated[Path, typer.Argument(help="A file of `ppe store backup`.", show_default=False)],
    into: Annotated[Path, typer.Option("--into", help="The folder of the store to make; it must not exist.")],
) -> None:
    """Make a store of a backup, once all of it was checked, in a folder of its own."""
    from service.store.copies import NoBackup, restore
    from service.store.errors import StoreError

    if not file.is_file():
        refuse(f"there is no file {shown(str(file))}")
    try:
        made = restore(file, into)
    except (FileExistsError, NoBackup, StoreError) as error:
        refuse(str(error))
    tell(f"{shown(str(into))}: {_words(made)}, of {told_time(made.made_ms)}")
    say("PPE_STORE names the folder of the service; erase again what was erased since the backup was made")


def _words(made: Backup) -> str:
    evidence = f"{made.files} pictures and clips ({size_words(made.evidence_bytes)})"
    return f"{made.alerts} alerts, {evidence}, database {size_words(made.database_bytes)}"
