"""What changed on a film, as lines for people; and as JSON where no webhook carries it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.events import Origin
    from service.safety.alerts import AlertChange
    from service.safety.moment import Moment
    from service.worker.doubts import Doubt


def alert_line(change: AlertChange) -> str:
    """Say in one line what changed."""
    alert = change.alert
    said = {"fired": "ALERT", "updated": "goes on", "resolved": "resolved", "lost_sight": "lost sight"}[change.kind]
    return (
        f"{clock(change.at.seconds)}  {said:<10} {alert.equipment} missing since {clock(alert.since.seconds)}  "
        f"person {alert.person[:6]}  zone {alert.zone}  {alert.severity}  alert {alert.id}"
    )


def clock(seconds: float) -> str:
    """Return a position in a film as m:ss.t."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def unverified_line(doubt: Doubt) -> str:
    """Say in one line who became unverified."""
    return (
        f"{clock(doubt.at.seconds)}  unverified {' and '.join(doubt.equipment)} unknown since "
        f"{clock(doubt.since.seconds)}  person {doubt.person[:6]}  zone {doubt.zone}"
    )


def unverified_event(doubt: Doubt, origin: Origin) -> str:
    """Return the same as JSON, in the shape of events; it is printed only: no webhook carries it."""
    data = {
        "summary": f"Nobody can tell whether a worker wears {' and '.join(doubt.equipment)} on camera "
        f"'{origin.camera.name}' since {origin.time(doubt.since)}",
        "site": origin.site,
        "camera": origin.camera.model_dump(),
        "zone": origin.zone(doubt.zone).model_dump(),
        "person": doubt.person,
        "equipment": doubt.equipment,
        "since": _utc(doubt.since),
    }
    event = {"type": "person.unverified", "timestamp": _utc(doubt.at), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _utc(at: Moment) -> str:
    return datetime.fromtimestamp(at.wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
