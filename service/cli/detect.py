"""``ppe detect``: judge pictures, folders and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.opening import detector_for, required, settings_for
from service.cli.terminal import NOT_ALL_JUDGED, refuse, shown

EXAMPLES = """
**Examples**

`ppe detect photo.jpg`

`ppe detect photos/ --save judged/`

`ppe detect gate.mp4 --every 0.5 --require helmet`

`ppe detect photos/ --json | jq '.images[].summary'`

**Exit codes**: 0 everything was judged, 1 some input could not be, 2 nothing could be done.
"""

Paths = Annotated[list[Path], typer.Argument(help="Pictures, videos and folders of them.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, in the shapes of the HTTP answer.")]
Lines = Annotated[bool, typer.Option("--json-lines", help="Print one line of JSON a picture, as soon as it is judged.")]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="DIR", file_okay=False, help="Write annotated pictures and videos there."),
]
Require = Annotated[str, typer.Option("--require", help="What compliant means: helmet, vest or both.")]
Confidence = Annotated[
    float,
    typer.Option("--confidence", min=0, max=1, help="Leave weaker boxes out of the JSON; states do not depend on it."),
]
Every = Annotated[
    float, typer.Option("--every", min=0, metavar="SECONDS", help="Of a video, judge one picture each; 0 judges all.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Search the folders in folders too.")]
Tiles = Annotated[
    int | None,
    typer.Option("--tiles", min=1, max=6, help="Tiles along the longer side besides the whole, for far people."),
]


def detect(
    ctx: typer.Context,
    paths: Paths,
    as_json: Json = False,
    as_lines: Lines = False,
    save: Save = None,
    require: Require = "helmet,vest",
    confidence: Confidence = 0.25,
    every: Every = 1.0,
    recursive: Recursive = False,
    tiles: Tiles = None,
) -> None:
    """Say for every person on pictures and videos whether helmet and vest are worn, missing or unknown."""
    from service.cli.judging import shots_under
    from service.cli.running import Wishes, run
    from service.wiring import picture_limits

    if as_json and as_lines:
        raise typer.BadParameter("choose --json or --json-lines")
    wishes = Wishes(required(require), every, confidence, save, "json" if as_json else "lines" if as_lines else "table")
    settings = settings_for(tiles=tiles)
    if save is not None:
        keep_apart(paths, save)
    shots, total = shots_under(paths, picture_limits(settings), every, recursive=recursive, without=save)
    report = run(detector_for(ctx, settings, settings.tiles), shots, wishes, total=total)
    if report.refused:
        raise typer.Exit(NOT_ALL_JUDGED)


def keep_apart(paths: list[Path], save: Path) -> None:
    """Refuse a folder of results in which a result could replace the picture it was made from."""
    for path in paths:
        if save.resolve() == (path if path.is_dir() else path.parent).resolve():
            refuse(f"--save {shown(str(save))}: the pictures to judge lie there; name another folder")
