"""The commands, one file a group.

A command imports what is heavy when it runs, so that ``ppe --help`` answers at once. ``ctx.obj`` is the one seam: where
it is set, it opens the detector in place of `detectors.opening.open_detector`.
"""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from service.cli import (
    calibrate,
    dataset,
    demo,
    detect,
    evidence,
    key,
    lab,
    letters,
    people,
    replay,
    serve,
    site,
    store,
    watch,
    webhook,
)
from service.cli.terminal import out

app = typer.Typer(
    name="ppe",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if not asked:
        return
    try:
        version = metadata.version("ppe-monitor")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    out().print(f"ppe-monitor {version}", highlight=False)
    raise typer.Exit


@app.callback()
def ppe(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Say which worker lacks which protective equipment.

    Try `ppe demo` first, then `ppe detect photo.jpg` with a picture of your own, then `ppe serve`.
    """


app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command(epilog=detect.EXAMPLES)(detect.detect)
app.command(epilog=demo.EXAMPLES)(demo.demo)
app.command(epilog=watch.EXAMPLES)(watch.watch)
app.command()(site.check)
app.command(epilog=replay.EXAMPLES)(replay.replay)
calibrate.register(app)
webhook.register(app)
letters.register(webhook.webhook)
people.register(app)
evidence.register(app)
key.register(app)
store.register(app)
dataset.register(app)
lab.register(app)
