"""Two site files on the same detections, side by side: as tables for people, as one JSON document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from service.cli.told import clock
from service.safety.comparison import black, told
from service.safety.equipment import EQUIPMENT
from service.safety.what_if import Comparison, Run, lasted

if TYPE_CHECKING:
    from service.cli.replay import Judge
    from service.safety.alerts import Alert
    from service.safety.moment import Moment
    from service.safety.site import Scene

_FILM_MS = 365 * 86_400_000
"""Wall times of the first year are positions of a film without a time of its own."""


def shown_side_by_side(found: Comparison, before: Judge, after: Judge, console: Console) -> None:
    """Print what both judges fire, what only one of them does, and what that is in person-seconds."""
    scene = before.origin.scene
    if found.began is not None and found.ended is not None:
        spent = found.ended.since(found.began)
        console.print(
            f"{scene.camera}: {found.frames} frames judged from {_at(found.began, scene)} to {_at(found.ended, scene)} "
            f"({spent:.0f} s)",
            markup=False,
            soft_wrap=True,
        )
    table = Table("", "person", "equipment", "zone", "since", "lasted", title_justify="left", box=None, pad_edge=False)
    for left, right in found.both:
        table.add_row("=", *_cells(left, right, scene))
    for sign, alerts in (("-", found.only_before), ("+", found.only_after)):
        for alert in alerts:
            table.add_row(sign, *_cells(alert, alert, scene))
    if table.row_count:
        console.print(table)
    console.print(
        f"{len(found.both)} alerts fired by both (=), {len(found.only_before)} only by {before.name} (-), "
        f"{len(found.only_after)} only by {after.name} (+)",
        markup=False,
        soft_wrap=True,
    )
    console.print(_seconds(found, before.name, after.name))


def _cells(left: Alert, right: Alert, scene: Scene) -> list[str]:
    """Return what is said of one violation; where the two judges differ, as before -> after."""
    pairs = (
        (left.zone, right.zone),
        (_at(left.since, scene), _at(right.since, scene)),
        (f"{lasted(left):.0f} s", f"{lasted(right):.0f} s"),
    )
    return [left.person[:6], left.equipment, *(one if one == other else f"{one} -> {other}" for one, other in pairs)]


def _seconds(found: Comparison, before: str, after: str) -> Table:
    table = Table("person-seconds", before, after, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
        column.overflow = "fold"
    for equipment in EQUIPMENT:
        for state in ("worn", "missing", "unknown"):
            was, would_be = (run.seconds(equipment, state) for run in (found.before, found.after))
            table.add_row(f"{equipment} {state}", f"{was:.0f}", f"{would_be:.0f}")
        table.add_row(f"{equipment} coverage", *(_share(run, equipment) for run in (found.before, found.after)))
    return table


def _share(run: Run, equipment: Any) -> str:
    share = run.share(equipment)
    return "asked of nobody" if share is None else f"{share:.0%}"


def _at(at: Moment, scene: Scene) -> str:
    return clock(at.seconds) if at.wall_ms < _FILM_MS else scene.local(at.wall_ms).strftime("%H:%M:%S")


def notes(before: Judge, after: Judge) -> list[str]:
    """Return what the comparison can't show, a sentence each."""
    found = []
    opened, fresh = black(before.origin.scene, after.origin.scene)
    if opened:
        found.append(
            f"{', '.join(opened)} was ignored, so black, when this was recorded: who stood there is in no recording"
        )
    if fresh:
        several = "s" * (fresh > 1)
        found.append(
            f"{fresh} newly ignored zone{several}: people there are recorded all the same, and judged by nobody"
        )
    if before.entry and after.entry:
        told = ("fps", "tiles", "motion_gate")
        differs = [name for name in told if getattr(before.entry, name) != getattr(after.entry, name)]
        found += [f"{name} differs too, and changes what is detected: the recording is as it was" for name in differs]
    return found


def document(found: Comparison, before: Judge, after: Judge, doubts: Sequence[str]) -> dict[str, Any]:
    """Return the comparison as one JSON document."""
    judged = told(found)
    judged["before"] = {"site": before.name, **judged["before"]}
    judged["after"] = {"site": after.name, **judged["after"]}
    return {"camera": before.origin.scene.camera, **judged, "notes": list(doubts)}
