"""``ppe evidence``: look after the stored evidence while no service runs: hold, release, erase, sweep, export."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli import export_frames
from service.cli.opening import settings_for
from service.cli.stored import asked_ms, opened_store, size_words, tell, told_time
from service.cli.terminal import NOT_ALL_JUDGED, refuse, say

if TYPE_CHECKING:
    from service.store.erasure import Erasure, Scope
    from service.store.status import Status

evidence = typer.Typer(
    no_args_is_help=True,
    help="Look after stored evidence: hold, release, erase, sweep, export. The service must be stopped.",
)

STOPPED: Final = "evidence can be looked after while no service runs"
ERASE_EXAMPLES = """
**Examples**

`ppe evidence erase --alert 3f0c9a52d17be846 --by "letter 12"`

`ppe evidence erase --camera gate --from 2026-05-03T09:00:00+02:00 --to 2026-05-03T10:00:00+02:00 --by "letter 12"`

**Exit codes**: 0 all of it was erased; 1 open or held alerts were left, they are named on stderr; 2 nothing was done.
"""
Alert = Annotated[str, typer.Argument(help="The alert's id, as messages and links carry it.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    evidence.command("export", epilog=export_frames.EXAMPLES)(export_frames.export_command)
    app.add_typer(evidence, name="evidence")


@evidence.command("status")
def status_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say how much evidence there is, what is held, what is gone and why, and what was erased."""
    with opened_store(STOPPED) as store:
        found = store.keeping.status()
    if as_json:
        sys.stdout.write(json.dumps(_document(found)) + "\n")
        return
    settings = settings_for()
    oldest = f", the oldest of {told_time(found.oldest_ms)}" if found.oldest_ms is not None else ""
    tell(f"{found.files} pictures and clips of {found.alerts} alerts, {size_words(found.size)}{oldest}")
    tell(f"kept for {settings.evidence_days:g} days, at most {settings.evidence_gib:g} GiB")
    tell(f"{size_words(found.free)} of the disk are free; evidence goes below {settings.evidence_free_gib:g} GiB")
    if found.missing:
        tell(f"{found.missing} of them are missing: somebody removed their files")
    for why, count in found.gone.items():
        tell(f"gone ({why.replace('_', ' ')}): {count}")
    for alert, why in found.held.items():
        tell(f"held: {alert}{f' ({why})' if why else ''}")
    for tombstone in found.erasures:
        tell(_sentence(tombstone))


@evidence.command("hold")
def hold_command(
    alert: Alert, why: Annotated[str, typer.Option(help="Why it is held, for whoever asks later.")] = ""
) -> None:
    """Keep an alert and its evidence, however old, until it is released."""
    from service.store.keeping import UnknownAlert

    with opened_store(STOPPED) as store:
        try:
            store.keeping.hold(alert, why)
        except UnknownAlert as error:
            refuse(str(error))
        known = store.alert(alert)
        if known is not None and not known.evidence:
            say(f"alert {alert} has no pictures any more; what is left of it is held")
    tell(f"held: {alert}")


@evidence.command("release")
def release_command(alert: Alert) -> None:
    """Hold an alert no longer: it and its evidence go when they are too old."""
    with opened_store(STOPPED) as store:
        if not store.keeping.release(alert):
            refuse(f"alert {alert} is not held")
    tell(f"released: {alert}")


@evidence.command("erase", epilog=ERASE_EXAMPLES)
def erase_command(
    by: Annotated[str, typer.Option("--by", help="Who asked for it, or where that stands; kept with the tombstone.")],
    alert: Annotated[str | None, typer.Option(help="Erase this alert.")] = None,
    camera: Annotated[str | None, typer.Option(help="Erase what this camera saw.")] = None,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="ISO", help="From this time on, such as 2026-05-03T09:00:00+02:00.")
    ] = None,
    ends: Annotated[str | None, typer.Option("--to", metavar="ISO", help="Before this time.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase pictures, people and places of alerts for good, and recorded frames. Open and held alerts are left."""
    from service.store.erasure import Scope
    from service.store.keeping import UnknownAlert

    try:
        scope = Scope(alert, camera, asked_ms("--from", begins), asked_ms("--to", ends))
    except ValueError as error:
        refuse(str(error))
    if not by.strip():
        refuse("--by: say who asked for it, or where that stands")
    if not yes and not typer.confirm(f"Erase for good: {_words(scope)}?", err=True):
        refuse("nothing was erased")
    with opened_store(STOPPED) as store:
        try:
            done = store.keeping.erase(scope, by)
        except UnknownAlert as error:
            refuse(str(error))
    tell(_sentence(done.tombstone))
    for name in done.still_open:
        say(f"alert {name} is open or may be continued: erase it once it has ended for an hour")
    for name in done.held:
        say(f"alert {name} is held: release it first")
    if done.still_open or done.held:
        raise typer.Exit(NOT_ALL_JUDGED)


@evidence.command("sweep")
def sweep_command() -> None:
    """Forget what is too old or too much now, remove what a crash left, and look for missing files."""
    with opened_store(STOPPED, forgetting=True) as store:
        while store.keeping.step():
            pass
        swept = store.keeping.sweep()
        left = store.keeping.status()
    tell(f"removed {store.swept.removed + swept.removed} files without a row; {swept.missing} files are missing")
    tell(f"{left.files} pictures and clips of {left.alerts} alerts are left, {size_words(left.size)}")


def _sentence(tombstone: Erasure) -> str:
    state = "erased" if tombstone.finished_ms is not None else "being erased (it goes on by itself)"
    return (
        f"{state}: {_words(tombstone.scope)}: {tombstone.alerts} alerts, {tombstone.files} pictures, "
        f"{told_time(tombstone.at_ms)}, asked by {tombstone.asked_by}"
    )


def _words(scope: Scope) -> str:
    """Say what a scope covers."""
    if scope.alert is not None:
        return f"alert {scope.alert}"
    parts = [f"camera {scope.camera}" if scope.camera is not None else "all cameras"]
    parts += [f"from {told_time(scope.from_ms)}"] if scope.from_ms is not None else []
    parts += [f"to {told_time(scope.to_ms)}"] if scope.to_ms is not None else []
    return " ".join(parts)


def _document(found: Status) -> dict[str, Any]:
    document = asdict(found)
    return {"bytes": document.pop("size"), **document, "free_bytes": document.pop("free")}
