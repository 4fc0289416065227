"""``ppe site calibrate``: are people large enough on a camera to be judged, and what would make them so."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.asking import asked
from service.cli.opening import detector_for, settings_for
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse, say
from service.cli.watch import origin_for, site_from
from service.safety.sizes import BIN, ENOUGH, LEAST_SECONDS, Sizes, Way, sizes
from service.safety.thresholds import Thresholds

if TYPE_CHECKING:
    from service.ports import Image

EXAMPLES = """
**Examples**

`ppe site calibrate gate` of the store in PPE_STORE, or of the service that runs on it

`ppe site calibrate gate --site site.yaml --hours 8`

`ppe site calibrate yard --source yard.mp4` looks at a recording

**Exit codes**: 0 people are large enough; 1 they are not, or too few were seen; 2 nothing could be looked at.
"""
_TRIED: Final = (1, 2, 3)
site_group = typer.Typer(no_args_is_help=True, help="Set a camera up: see whether people on it can be judged.")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found: heights, person-seconds, thresholds, size and scale of the pictures, tiles, and one picture."""

    heights: dict[int, int]
    seconds: float
    thresholds: Thresholds
    size: tuple[int, int, float]
    tiles: int
    picture: Image | None


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    site_group.command("calibrate", epilog=EXAMPLES)(calibrate)
    app.add_typer(site_group, name="site")


def calibrate(
    ctx: typer.Context,
    camera: Annotated[str, typer.Argument(help="The camera's id.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--source", help="A recorded film or folder of pictures to look at instead.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option("--site", help="Site file that says how the camera is looked at.")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 92, help="The last hours.")] = 24,
    store: Annotated[Path | None, typer.Option(help="Folder of the store (default PPE_STORE).")] = None,
    service: Annotated[
        str | None, typer.Option(metavar="URL", help="The service to ask; PPE_API_KEY is its key.")
    ] = None,
    save: Annotated[Path | None, typer.Option("--out", help="The picture to write (default CAMERA-sizes.png).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say how large people are on a camera, how large they must be, and what would help."""
    from service.detectors.manifest import WeightsError, read_manifest
    from service.detectors.ways import ways

    entry = site_from(site).cameras.get(camera) if site else None
    if site and entry is None and source is None:
        refuse(f"{site} has no camera {camera}")
    tiles = entry.tiles if entry else None
    if source is not None:
        seen = _of_film(ctx, source, camera, site, tiles or 1)
    else:
        seen = _of_service(camera, hours, store, service, tiles)
    width, height, _ = seen.size
    try:
        shapes = read_manifest(settings_for().weights).input_shapes
    except WeightsError as error:
        refuse(str(error))
    options = ways(width, height, shapes, {*_TRIED, seen.tiles})
    found = sizes(seen.heights, seen.seconds, seen.thresholds, (seen.tiles, *options[seen.tiles]), options)
    drawn = _draw(found, seen, save or Path(f"{camera}-sizes.png"))
    if as_json:
        sys.stdout.write(json.dumps(_document(camera, found, seen, drawn), ensure_ascii=False) + "\n")
    else:
        for line in _told(camera, found, seen):
            out().print(line, markup=False, soft_wrap=True)
        say(f"drawn in {drawn}")
    if not (found.is_known and found.now.is_enough):
        raise typer.Exit(NOT_ALL_JUDGED)


def _of_service(camera: str, hours: int, store: Path | None, service: str | None, tiles: int | None) -> _Seen:
    import cv2
    import numpy as np

    with asked(store, service) as seen:
        measured = seen.heights(camera, hours)
        jpeg = seen.picture(camera)
    if not measured.heights:
        refuse(f"nobody was seen on {camera} in the last {hours} h; give more --hours, or a recording with --source")
    if measured.size is None:
        refuse(
            f"nobody knows how large the pictures of {camera} are: nothing was recorded in the last 30 minutes; ask "
            "while the service runs, or give a recording with --source"
        )
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    thresholds = Thresholds().model_copy(update={"minimum_height": measured.needed})
    return _Seen(
        measured.heights,
        measured.seconds,
        thresholds,
        measured.size,
        tiles or measured.tiles or 1,
        None if picture is None else np.asarray(picture, np.uint8),
    )


def _of_film(ctx: typer.Context, source: str, camera: str, site: Path | None, tiles: int) -> _Seen:
    """Judge a recording, and count the heights of who is on it."""
    from service.pictures.annotate import annotate
    from service.wiring import FilmError, judge_film

    read = site_from(site) if site else None
    origin = origin_for(read, camera if read and camera in read.cameras else None, source)
    fps = read.cameras[origin.scene.camera].fps if read else 5.0
    detector = detector_for(ctx, settings_for(), tiles)
    heights: Counter[int] = Counter()
    size, most, picture = None, -1, None
    try:
        for one in judge_film(source, origin, detector, fps, 0):
            people = tuple(person.sighting for person in one.observation.people)
            heights.update(int(person.height // BIN) * BIN for person in people)
            size = one.detections.width, one.detections.height, one.detections.scale
            if len(people) > most:
                most, picture = len(people), annotate(one.frame.image, people)
    except FilmError as error:
        refuse(str(error))
    finally:
        detector.close()
    if size is None or not heights:
        refuse(f"nobody is seen on {source}")
    return _Seen(dict(heights), sum(heights.values()) / fps, detector.model.thresholds, size, tiles, picture)


def _draw(found: Sizes, seen: _Seen, file: Path) -> Path:
    import cv2

    from service.pictures.scale_bars import drawn_sizes

    encoded = cv2.imencode(".png", drawn_sizes(found, seen.heights, seen.picture, *seen.size[:2]))[1]
    try:
        file.write_bytes(encoded.tobytes())
    except OSError as error:
        refuse(f"{file} can't be written ({error.strerror}); name another with --out")
    return file


def _told(camera: str, found: Sizes, seen: _Seen) -> list[str]:
    """Return what is known and what would help, a sentence a line."""
    width, height, _ = seen.size
    now, need = found.now, " and ".join(f"a {name} needs {least:.0f}" for name, least in found.needed.items())
    lines = [
        f"{camera}: {width}x{height}, of which the model sees {width * now.scale:.0f}x{height * now.scale:.0f}: one "
        f"pixel of its own for {1 / now.scale:.1f} of the camera's.",
        f"{found.seconds:.0f} person-seconds: people are {found.small:.0f} to {found.large:.0f} px as the model sees "
        f"them, {found.typical:.0f} typically; {need}.",
    ]
    if not found.is_known:
        lines.append(
            f"Too few people were seen to say what is typical: at least {LEAST_SECONDS:.0f} person-seconds are needed."
        )
    for way in (now, *(one for one in found.others if one.scale > now.scale)):
        shares = ", ".join(f"{name} {share:.0%}" for name, share in way.share.items())
        how = "as it is" if way is now else f"tiles: {way.tiles}"
        lines.append(f"  {how}: large enough for {shares} of the time, {way.cost} look{'s' * (way.cost > 1)} a frame")
    return lines + [f"  {advice}" for advice in _advice(found, width)]


def _advice(found: Sizes, width: int) -> list[str]:
    if not found.is_known:
        return []
    if found.now.is_enough:
        return ["People are large enough here."]
    advice = []
    if found.now.scale >= 1:
        advice.append(
            f"The camera's picture has no more pixels ({width} across): use its main stream, if this is not it."
        )
    elif better := found.better:
        what = "That is enough." if better.is_enough else f"Even then less than {ENOUGH:.0%} of the time."
        advice.append(
            f"Set tiles: {better.tiles} in the site file: {better.cost / found.now.cost:.3g} times the looks. {what}"
        )
    factor = max(found.needed.values()) / max(1.0, found.typical)
    if factor > 1:
        advice.append(f"Or bring the camera nearer, or zoom: people must look {factor:.1f} times as large.")
    return advice


def _document(camera: str, found: Sizes, seen: _Seen, drawn: Path) -> dict[str, Any]:
    width, height, _ = seen.size

    def way(one: Way) -> dict[str, Any]:
        return {**asdict(replace(one, scale=round(one.scale, 4))), "is_enough": one.is_enough}

    return {
        "camera": camera,
        "width": width,
        "height": height,
        "person_seconds": round(found.seconds, 1),
        "enough_seen": found.is_known,
        "height_px": {"small": found.small, "typical": found.typical, "large": found.large},
        "needed_px": found.needed,
        "heights": [{"from_px": low, "seen": count} for low, count in sorted(seen.heights.items())],
        "now": way(found.now),
        "others": [way(one) for one in found.others],
        "advice": _advice(found, width),
        "picture": str(drawn),
    }
