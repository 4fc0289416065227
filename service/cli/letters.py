"""``ppe webhook dead|replay|enable``: what was given up, sent once more, while no service runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.stored import asked_ms, opened_store, tell, told_time
from service.cli.terminal import NOT_ALL_JUDGED, refuse, say, shown

if TYPE_CHECKING:
    from service.inquiry import Sent
    from service.store.store import Store

STOPPED: Final = "while the service runs, ask it: GET /v1/messages?state=dead, POST /v1/messages/ID/replay"
PAGE: Final = 500

REPLAY_EXAMPLES = """
**Examples**

`ppe webhook replay msg_c1cc8af67669d8aa744d6f32f649a10f`

`ppe webhook replay --endpoint safety-office --since 2026-05-03T09:00:00+02:00`

They leave at the next start of the service, under the ids that they had.

**Exit codes**: 0 all of them will be sent; 1 some will not, they are named on stderr; 2 nothing was done.
"""
Endpoint = Annotated[str | None, typer.Option(help="Of this endpoint alone.", show_default=False)]


def register(group: typer.Typer) -> None:
    """Add the commands to ``ppe webhook``."""
    group.command("dead")(dead_command)
    group.command("replay", epilog=REPLAY_EXAMPLES)(replay_command)
    group.command("enable")(enable_command)


def dead_command(
    endpoint: Endpoint = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each.")] = False,
) -> None:
    """List the messages that were given up, newest first, and the endpoints that are disabled."""
    count = 0
    with opened_store(STOPPED) as store:
        for sent in _dead(store, endpoint):
            count += 1
            if as_json:
                sys.stdout.write(json.dumps(asdict(sent)) + "\n")
            else:
                when = told_time(sent.created_ms)
                tell(f"{when}  {sent.type:<19} {sent.camera}  to {sent.endpoint}: {sent.error}  {sent.id}")
        for name, (since_ms, why) in store.disabled().items():
            if endpoint in {None, name}:
                say(f"endpoint {name} is disabled since {told_time(since_ms)}: {why} (ppe webhook enable {name})")
    if not as_json:
        say(f"{count} given up")


def replay_command(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of messages.", show_default=False)
    ] = None,
    endpoint: Endpoint = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="All of the endpoint that happened since then, such as 2026-05-03T09:00Z."),
    ] = None,
) -> None:
    """Send messages once more that were given up; with --endpoint, also one that was delivered there."""
    since_ms = asked_ms("--since", since)
    if bool(ids) == (since_ms is not None) or (since_ms is not None and endpoint is None):
        refuse("name messages by their ids, or an endpoint and a time: --endpoint NAME --since ISO")
    with opened_store(STOPPED) as store:
        if since_ms is not None:
            tell(f"to be sent once more: {store.replay_dead(endpoint or '', since_ms)}")
            return
        left = [name for name in ids or [] if not _replayed(store, name, endpoint)]
    tell(f"to be sent once more: {len(ids or []) - len(left)}")
    for name in left:
        say(f"message {shown(name)} is not sent: there is none of this id, it was not given up, or it was erased")
    if left:
        raise typer.Exit(NOT_ALL_JUDGED)


def enable_command(
    endpoint: Annotated[str, typer.Argument(help="The endpoint's name in the site file.", show_default=False)],
) -> None:
    """Send an endpoint again that answered 410; what waits for it leaves at the next start."""
    with opened_store("while the service runs, ask it: POST /v1/endpoints/NAME/enable") as store:
        if not store.enable(endpoint):
            refuse(f"endpoint {shown(endpoint)} is not disabled")
    tell(f"enabled: {endpoint}")


def _dead(store: Store, endpoint: str | None) -> Iterator[Sent]:
    """Yield what was given up, page by page."""
    from service.inquiry import Posted

    wanted, before = Posted(state="dead", endpoint=endpoint), None
    while page := store.find_messages(wanted, PAGE, before):
        yield from page
        before = page[-1].place


def _replayed(store: Store, message: str, endpoint: str | None) -> bool:
    """Send a message once more; return whether it waits somewhere now."""
    found = store.replay(message, endpoint) or []
    return any(sent.state == "pending" for sent in found)
