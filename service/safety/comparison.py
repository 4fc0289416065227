"""What came of judging by two scenes, as plain JSON values: a command prints them, the API answers with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.safety.alerts import Alert
from service.safety.equipment import EQUIPMENT
from service.safety.moment import Moment
from service.safety.site import Scene
from service.safety.what_if import Comparison, Run, lasted


def told(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values: what both scenes fire, what only one of them does, and person-seconds."""
    return {
        "frames": found.frames,
        "from": found.began and _utc(found.began),
        "to": found.ended and _utc(found.ended),
        "before": {"person_seconds": _run(found.before)},
        "after": {"person_seconds": _run(found.after)},
        "both": [{"before": _alert(left), "after": _alert(right)} for left, right in found.both],
        "only_before": [_alert(alert) for alert in found.only_before],
        "only_after": [_alert(alert) for alert in found.only_after],
    }


def black(before: Scene, after: Scene) -> tuple[list[str], int]:
    """Return what a comparison can't show: zones that were black and would not be, and how many newly are.

    Who stood in the former was never detected; who stood in the latter was, and is judged by nobody.
    """
    then = {zone.id: zone.polygon for zone in before.zones if zone.ignore}
    now = {zone.polygon for zone in after.zones if zone.ignore}
    return [zone for zone, polygon in then.items() if polygon not in now], len(now - set(then.values()))


def _run(run: Run) -> dict[str, Any]:
    return {
        equipment: {
            **{state: round(run.seconds(equipment, state), 1) for state in ("worn", "missing", "unknown")},
            "coverage": None if (share := run.share(equipment)) is None else round(share, 4),
        }
        for equipment in EQUIPMENT
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "person": alert.person,
        "zone": alert.zone,
        "equipment": alert.equipment,
        "severity": alert.severity,
        "since": _utc(alert.since),
        "fired_at": _utc(alert.fired),
        "lasted_s": round(lasted(alert), 1),
        "ending": alert.ending,
    }


def _utc(at: Moment) -> str:
    return datetime.fromtimestamp(at.wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
