"""``ppe check`` and ``ppe replay``: a site file before it is used, and what it would have done."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.judged import Lines
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse, say
from service.cli.told import alert_line
from service.cli.watch import origin_for, site_from

if TYPE_CHECKING:
    from service.events import Origin
    from service.recording import Heading
    from service.safety.alerts import AlertChange
    from service.safety.monitor import Observation
    from service.sitefile import SiteFile


def check(
    site: Annotated[Path | None, typer.Argument(help="Site file (YAML).", show_default=False)] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of site files instead.")] = False,
    trying: Annotated[
        bool, typer.Option("--try", help="Open every camera and connect to every endpoint once; nothing is sent.")
    ] = False,
) -> None:
    """Check a site file: print what is in effect, secrets hidden, or every mistake with its line."""
    if schema:
        sys.stdout.write(json.dumps(site_schema(), indent=2, ensure_ascii=False) + "\n")
    elif site is None:
        refuse("give a site file to check, or --schema for what can stand in one")
    else:
        _check(site, trying)


def _check(site: Path, trying: bool) -> None:
    import yaml

    from service.cli.findings import faults, later
    from service.sitefile import advice, missing_secrets, placed, site_text

    read, text = site_from(site), site_text(site)
    effective = yaml.safe_dump(
        _effective(read), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )
    out().print(effective, markup=False, soft_wrap=True)
    wrong = placed(text, faults(read))
    for fault in wrong:
        say(f"{site}: {fault}")
    doubtful = placed(text, advice(read))
    for doubt in doubtful:
        say(f"{site}: warning: {doubt}")
    for note in placed(text, later(read)):
        say(f"{site}: note: {note}")
    missing = missing_secrets(read)
    if missing:
        say(f"not set in the environment: {', '.join(missing)} (needed to start)")
    failed = _try(read) if trying else 0
    if wrong or missing or failed:
        raise typer.Exit(NOT_ALL_JUDGED)
    how = f"can be started, see the warning{'s' * (len(doubtful) > 1)}" if doubtful else "is fine"
    say(f"{site} {how}: {len(read.cameras)} cameras, {len(read.endpoints)} endpoints, mode {read.mode}")


def _try(read: SiteFile) -> int:
    """Try cameras and endpoints, say how it went, and return how many do not work."""
    from service.cli.trying import tried
    from service.worker.clock import SystemClock

    failed = 0
    for one in tried(read, SystemClock()):
        say(f"{one.where}: {one.what}")
        failed += not one.works
    return failed


def _effective(read: SiteFile) -> dict[str, Any]:
    """Return what is in effect: defaults filled in, and nothing that may be a secret."""
    from service.cameras.address import redacted
    from service.delivery.endpoint import shown_url

    effective: dict[str, Any] = read.model_dump(mode="json", by_alias=True)
    for name, camera in effective["cameras"].items():
        camera["source"] = redacted(camera["source"])
        camera["policy"] = read.scene(name).policy.model_dump(mode="json")
        camera["zones"] = camera["zones"] or "none: the whole picture requires helmet and vest"
    for endpoint in effective["endpoints"].values():
        endpoint["url"] = shown_url(endpoint["url"])
    return effective


def site_schema() -> dict[str, Any]:
    """Return the JSON schema of site files, the short forms of a camera and a requirement included."""
    from service.safety.equipment import EQUIPMENT
    from service.sitefile import SiteFile

    schema = SiteFile.model_json_schema()
    short: dict[str, dict[str, Any]] = {
        "CameraEntry": {"type": "string", "description": "The camera's source; the rest is as by default."},
        "Requirement": {"enum": list(EQUIPMENT), "description": "The equipment; absence of evidence stays unknown."},
    }
    parts, top = schema["$defs"], schema["properties"]
    for keyed in (top["cameras"], top["endpoints"], parts["CameraEntry"]["properties"]["zones"]):
        keyed["additionalProperties"] = False  # else a key that is no id would fit
    for name, form in short.items():
        parts[name] = {"anyOf": [form, parts[name]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def replay(
    recording: Annotated[Path, typer.Argument(help="Detections that ppe watch --record kept.")],
    site: Annotated[Path | None, typer.Option("--site", help="Site file to judge them by.")] = None,
    camera: Annotated[str | None, typer.Option(help="Which of its cameras.")] = None,
    compare: Annotated[Path | None, typer.Option(help="Another site file: print what it adds and removes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON event a line.")] = False,
) -> None:
    """Play recorded detections through the rules again: same input, same output, byte for byte."""
    from service.recording import RecordingError, read_recording

    try:
        heading, _ = read_recording(recording)
        origin = _judging(site, camera, heading)
        if compare is not None:
            _print_difference(_fired(recording, origin), _fired(recording, _judging(compare, camera, heading)))
            return
        lines = Lines(origin, as_json, out())
        for observation, size in _played(recording, origin):
            lines.print(observation, *size)
        if not as_json:
            lines.summary()
    except RecordingError as error:
        refuse(str(error))


def _judging(site: Path | None, camera: str | None, heading: Heading) -> Origin:
    """Return whose zones a recording is judged by, under the camera's own id: ids of people and alerts depend on it."""
    read = site_from(site) if site else None
    if read and camera is None and heading.camera in read.cameras:
        camera = heading.camera
    origin = origin_for(read, camera, heading.camera)
    return replace(origin, scene=origin.scene.model_copy(update={"camera": heading.camera}))


def _played(recording: Path, origin: Origin) -> Iterator[tuple[Observation, tuple[int, int]]]:
    from service.recording import read_recording
    from service.wiring import open_replay

    heading, frames = read_recording(recording)
    monitor = open_replay(origin, heading.thresholds)
    for detections, at in frames:
        yield monitor.observe(detections, at), (detections.width, detections.height)


Violation = tuple[str, str, int]
"""The same person, equipment and beginning is the same violation, whatever the rules made of it."""


def _fired(recording: Path, origin: Origin) -> dict[Violation, AlertChange]:
    return {
        (change.alert.person, change.alert.equipment, change.alert.since.wall_ms): change
        for observation, _ in _played(recording, origin)
        for change in observation.alerts
        if change.kind == "fired"
    }


def _print_difference(before: dict[Violation, AlertChange], after: dict[Violation, AlertChange]) -> None:
    """Print the alerts that only one of two runs fired."""
    for sign, mine, others in (("-", before, after), ("+", after, before)):
        for key, change in mine.items():
            if key not in others:
                out().print(f"{sign} {alert_line(change)}", markup=False, soft_wrap=True)
    same = len(before.keys() & after.keys())
    out().print(f"{same} alerts the same, {len(before) - same} removed, {len(after) - same} added")
