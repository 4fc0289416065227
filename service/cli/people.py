"""``ppe people test``: send people one message, to see that it arrives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from service.cli.terminal import NOT_ALL_JUDGED, out, refuse
from service.cli.watch import site_from

people = typer.Typer(no_args_is_help=True, help="Try out how people are told.")

EXAMPLES = """
**Examples**

`ppe people test site-chat --site site.yaml`

**Exit codes**: 0 every address took it; 1 one did not; 2 nothing was sent.
"""


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(people, name="people")


@people.callback()
def _group() -> None:
    """Try out how people are told."""


@people.command("test", epilog=EXAMPLES)
def test_command(
    name: Annotated[str, typer.Argument(help="Their name in the site file.", show_default=False)],
    site: Annotated[Path, typer.Option("--site", help="Site file (YAML).", show_default=False)],
) -> None:
    """Send one test message to each address of some people; it counts for no limit and is kept nowhere."""
    from service.delivery.apprise_poster import ApprisePoster, urls_in
    from service.delivery.people import channels_of
    from service.ports import Letter
    from service.wiring import WiringError
    from service.wiring.people import wording_of

    read = site_from(site)
    if name not in read.people:
        there = f"only {', '.join(read.people)}" if read.people else "it names none at all"
        refuse(f"{site} names no people {name!r}, {there}")
    variable = read.people[name].url_env
    urls = urls_in(os.environ.get(variable, ""))
    if not urls:
        refuse(f"set {variable} to the Apprise URL of {name}, such as mailto://..., slack://... or tgram://...")
    try:
        title, body = wording_of(read, name).test()
    except WiringError as error:
        refuse(str(error))
    letter, failed = Letter(title, body, urgent=False), 0
    for channel, url in zip(channels_of(name, len(urls)), urls, strict=True):
        attempt = ApprisePoster(url).post(letter)
        failed += not attempt.done
        out().print(f"{channel}: {'sent' if attempt.done else attempt.why}", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(NOT_ALL_JUDGED)
