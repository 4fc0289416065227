"""``ppe replay``: recorded detections through the rules again, or by two site files side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.asking import asked
from service.cli.compared import document, notes, shown_side_by_side
from service.cli.judged import Lines
from service.cli.terminal import out, refuse, say
from service.cli.watch import origin_for, site_from

if TYPE_CHECKING:
    from service.events import Origin
    from service.recording import Heading
    from service.safety.detections import Detections
    from service.safety.moment import Moment
    from service.sitefile import CameraEntry

    Frames = Iterator[tuple[Detections, Moment]]

EXAMPLES = """
**Examples**

`ppe replay yard.jsonl --site site.yaml`

`ppe replay --camera gate --compare new-site.yaml` what new-site.yaml would change on the last 30 minutes of a
running service, or of the store in PPE_STORE

`ppe replay yard.jsonl --site site.yaml --compare new-site.yaml --json`
"""


@dataclass(frozen=True, slots=True)
class Judge:
    """By whose words a recording is judged: what it is called, which scene, which entry of a site file."""

    name: str
    origin: Origin
    entry: CameraEntry | None = None


def replay(
    recording: Annotated[
        Path | None,
        typer.Argument(help="Detections that ppe watch --record kept; without it, those of a store or service."),
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="Site file to judge them by.")] = None,
    camera: Annotated[str | None, typer.Option(help="Which of its cameras.")] = None,
    compare: Annotated[Path | None, typer.Option(help="Another site file: show what it would change.")] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder of the store (default PPE_STORE); while a service runs on it, that one is asked."),
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="URL", help="The service to ask; its key stands in PPE_API_KEY.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON event a line; one document with --compare.")
    ] = False,
) -> None:
    """Play recorded detections through the rules again: same input, same output, byte for byte."""
    from service.recording import RecordingError, read_recording

    if recording is not None and (store or service):
        refuse("give a recording, or --store or --service, not both")
    try:
        if recording is not None:
            _replay(*read_recording(recording), site, camera, compare, as_json, recorded=True)
            return
        if camera is None:
            refuse("--camera: name the camera whose last 30 minutes are to be played")
        with asked(store, service) as seen:
            _replay(*seen.recording(camera), site, camera, compare, as_json, recorded=False)
    except RecordingError as error:
        refuse(str(error))


def _replay(
    heading: Heading,
    frames: Frames,
    site: Path | None,
    camera: str | None,
    compare: Path | None,
    as_json: bool,
    *,
    recorded: bool,
) -> None:
    from service.wiring import open_replay

    before = _judge(site, camera, heading)
    if site is None and heading.scene is None and not recorded:
        refuse("--site: name the site file that is in use now; a store alone does not know it (a running service does)")
    if compare is not None:
        _compare(frames, before, _judge(compare, camera, heading), heading, as_json)
        return
    lines = Lines(before.origin, as_json, out())
    monitor = open_replay(before.origin, heading.thresholds)
    for detections, at in frames:
        lines.print(monitor.observe(detections, at), detections.width, detections.height)
    if not as_json:
        lines.summary()


def _judge(site: Path | None, camera: str | None, heading: Heading) -> Judge:
    """Return whose zones a recording is judged by, under the camera's own id: ids of people and alerts depend on it."""
    from service.events import Origin

    if site is None and heading.scene is not None:
        return Judge("the service now", Origin(heading.scene, heading.camera))
    read = site_from(site) if site else None
    if read and camera is None and heading.camera in read.cameras:
        camera = heading.camera
    origin = origin_for(read, camera, heading.camera)
    entry = read.cameras[origin.scene.camera] if read else None
    scene = origin.scene.model_copy(update={"camera": heading.camera})
    return Judge(str(site) if site else "no site file", replace(origin, scene=scene), entry)


def _compare(frames: Frames, before: Judge, after: Judge, heading: Heading, as_json: bool) -> None:
    from service.safety.what_if import compared
    from service.tracking.bytetrack import ByteTrack

    found = compared(frames, before.origin.scene, after.origin.scene, heading.thresholds, ByteTrack)
    doubts = notes(before, after)
    if as_json:
        sys.stdout.write(json.dumps(document(found, before, after, doubts), ensure_ascii=False) + "\n")
        return
    if not found.frames:
        say(f"nothing of {heading.camera} was recorded in the last 30 minutes")
    shown_side_by_side(found, before, after, out())
    for doubt in doubts:
        say(f"note: {doubt}")
