"""``ppe check`` and ``ppe replay``: a site file before it is used, and what it would have done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.judged import alert_line
from service.cli.terminal import NOT_ALL_JUDGED, out, refuse, say
from service.cli.watch import origin_for, site_from

if TYPE_CHECKING:
    from service.events import Origin
    from service.recording import Heading
    from service.safety.alerts import AlertChange


def check(
    site: Annotated[Path, typer.Argument(help="Site file (YAML).")],
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of site files instead.")] = False,
) -> None:
    """Check a site file: print what is in effect, secrets hidden, or every mistake with its line."""
    import yaml

    from service.sitefile import SiteFile, missing_secrets

    if schema:
        out().print_json(data=SiteFile.model_json_schema())
        return
    read = site_from(site)
    effective: dict[str, Any] = read.model_dump(mode="json", by_alias=True)
    for name, camera in effective["cameras"].items():
        camera["policy"] = read.scene(name).policy.model_dump(mode="json")
        camera["zones"] = camera["zones"] or "none: the whole picture requires helmet and vest"
    out().print(yaml.safe_dump(effective, sort_keys=False, allow_unicode=True), markup=False, soft_wrap=True)
    missing = missing_secrets(read)
    if missing:
        say(f"not set in the environment: {', '.join(missing)} (needed to start)")
        raise typer.Exit(NOT_ALL_JUDGED)
    say(f"{site} is fine: {len(read.cameras)} cameras, {len(read.endpoints)} endpoints, mode {read.mode}")


def replay(
    recording: Annotated[Path, typer.Argument(help="Detections that ppe watch --record kept.")],
    site: Annotated[Path | None, typer.Option("--site", help="Site file to judge them by.")] = None,
    camera: Annotated[str | None, typer.Option(help="Which of its cameras.")] = None,
    compare: Annotated[Path | None, typer.Option(help="Another site file: print what it adds and removes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON event a line.")] = False,
) -> None:
    """Play recorded detections through the rules again: same input, same output, byte for byte."""
    from service.events import alert_message
    from service.recording import RecordingError, read_recording

    try:
        heading, _ = read_recording(recording)
        origin = _judging(site, camera, heading)
        changes = _played(recording, origin)
        if compare is not None:
            _print_difference(changes, _played(recording, _judging(compare, camera, heading)))
            return
        for change, size in changes:
            line = alert_message(change, origin, *size).payload if as_json else alert_line(change)
            out().print(line, markup=False, soft_wrap=True)
        if not as_json:
            out().print(f"{sum(change.kind == 'fired' for change, _ in changes)} alerts")
    except RecordingError as error:
        refuse(str(error))


def _judging(site: Path | None, camera: str | None, heading: Heading) -> Origin:
    """Return whose zones a recording is judged by, under the camera's own id: ids of people and alerts depend on it."""
    origin = origin_for(site_from(site) if site else None, camera, heading.camera)
    return replace(origin, scene=origin.scene.model_copy(update={"camera": heading.camera}))


def _played(recording: Path, origin: Origin) -> list[tuple[AlertChange, tuple[int, int]]]:
    from service.recording import read_recording
    from service.wiring import open_replay

    heading, frames = read_recording(recording)
    monitor = open_replay(origin, heading.thresholds)
    return [
        (change, (detections.width, detections.height))
        for detections, at in frames
        for change in monitor.observe(detections, at).alerts
    ]


def _print_difference(
    before: list[tuple[AlertChange, tuple[int, int]]], after: list[tuple[AlertChange, tuple[int, int]]]
) -> None:
    """Print the alerts that only one of two runs fired; the same person, equipment and beginning is the same alert."""
    fired = [
        {
            (change.alert.person, change.alert.equipment, change.alert.since.wall_ms): change
            for change, _ in run
            if change.kind == "fired"
        }
        for run in (before, after)
    ]
    for sign, mine, others in (("-", fired[0], fired[1]), ("+", fired[1], fired[0])):
        for key, change in mine.items():
            if key not in others:
                out().print(f"{sign} {alert_line(change)}", markup=False, soft_wrap=True)
    same = len(fired[0].keys() & fired[1].keys())
    out().print(f"{same} alerts the same, {len(fired[0]) - same} removed, {len(fired[1]) - same} added")
