"""``ppe demo``: see the job done, without a picture of your own and without internet."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from service.cli.detect import Require, keep_apart
from service.cli.opening import detector_for, required, settings_for
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.cli.judging import Refused, Shot

EXAMPLES = """
**Examples**

`ppe demo` (photographs that installed packages ship)

`ppe demo photo.jpg`

`ppe demo 0 --seconds 20` (the first webcam)

`ppe demo rtsp://192.168.1.20/stream`

**Exit codes**: as of `ppe detect`.
"""

PHOTOGRAPHS: Final = (
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ("skimage", "data/astronaut.png"),
    ("ultralytics", "assets/bus.jpg"),
    ("ultralytics", "assets/zidane.jpg"),
)
"""Photographs of people inside packages that may be installed."""

_SCHEMES: Final = ("rtsp", "rtsps", "http", "https")


def demo(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="PATH|CAMERA|URL", help="Your own file or folder, a webcam's number, a camera's address."
        ),
    ] = None,
    save: Annotated[
        Path, typer.Option("--save", metavar="DIR", file_okay=False, help="Where annotated pictures go.")
    ] = Path("ppe-demo"),
    require: Require = "helmet,vest",
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long a camera is watched.")] = 10.0,
    every: Annotated[
        float, typer.Option("--every", min=0, metavar="SECONDS", help="Judge one picture each; 0 judges all.")
    ] = 1.0,
) -> None:
    """Show the job on photographs that installed packages ship, or on your own file or camera."""
    from service.cli.judging import shots_under
    from service.cli.running import Wishes, run
    from service.wiring import picture_limits

    wishes = Wishes(required(require), every, save=save)
    settings = settings_for()
    camera = _camera(source)
    total: float | None = None
    if camera is not None:
        shots = _watched(camera, every, seconds)
    else:
        paths = _photographs() if source is None else [Path(source)]
        if source is not None:
            keep_apart(paths, save)
        shots, total = shots_under(paths, picture_limits(settings), every, without=save)
    report = run(detector_for(ctx, settings, settings.tiles), shots, wishes, total=total)
    if report.refused:
        raise typer.Exit(NOT_ALL_JUDGED)


def _photographs() -> list[Path]:
    """Find the photographs, without importing what they come with."""
    found = {path: package for package, inside in PHOTOGRAPHS if (path := _inside(package, inside)) is not None}
    if not found:
        refuse("no installed package ships a photograph of a person; give a picture of your own: ppe demo photo.jpg")
    packages = " and ".join(dict.fromkeys(found.values()))
    out().print(
        f"Photographs that {packages} ship as samples. They show people, but no building site, so expect "
        "helmets and vests to be missing. Try a picture of your own site next: ppe demo photo.jpg\n",
        markup=False,
    )
    return list(found)


def _inside(package: str, inside: str) -> Path | None:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((path for folder in folders or () if (path := Path(folder) / inside).is_file()), None)


def _camera(source: str | None) -> int | str | None:
    """Return the camera that a source names: its number or its address; None for a path."""
    if source is None or Path(source).exists():
        return None
    if source.isdecimal():
        return int(source)
    scheme, separator, _ = source.partition("://")
    if not separator:
        return None
    if scheme.lower() not in _SCHEMES:
        raise typer.BadParameter(f"an address begins with one of {', '.join(_SCHEMES)}, not {scheme}://")
    return source


def _watched(camera: int | str, every: float, seconds: float) -> Iterator[Shot | Refused]:
    from service.cli.judging import Refused, Shot
    from service.pictures.sources import SourceError, camera_moments

    name = f"camera {camera}" if isinstance(camera, int) else _without_password(camera)
    place = Path(f"camera-{camera}" if isinstance(camera, int) else "camera")
    try:
        for moment in camera_moments(camera, every, seconds):
            yield Shot(name, place, moment.image, round(moment.at, 3))
    except SourceError as error:
        yield Refused(name, "CAMERA_UNREADABLE", str(error))


def _without_password(url: str) -> str:
    """Return an address that can be shown: without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
