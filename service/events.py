"""What happened, as JSON for other systems: the bodies of the messages that leave, and their published schemas.

Every body is ``{type, timestamp, data}``. It is a function of what happened alone: the same change gives the same bytes
and the same message id in every replay. Names are cut and cleaned, so that a body stays under 20 kB whatever they hold.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from service.event_shapes import (
    EVENTS,
    AlertFired,
    AlertResolved,
    AlertUpdated,
    Blindness,
    Box,
    CameraBlind,
    CameraCannotJudge,
    CameraFrozen,
    CameraMoved,
    CameraOffline,
    CameraOnline,
    EndedAlert,
    Event,
    Evidence,
    Instant,
    Named,
    OfflineCamera,
    OnlineCamera,
    OpenAlert,
    Picture,
    Trouble,
)
from service.ports import OFFLINE, CameraState, Condition, Message, Subject
from service.safety.alerts import AlertChange, Ending
from service.safety.coverage import CannotJudge
from service.safety.moment import Moment
from service.safety.sight import SightChange
from service.safety.site import WHOLE_PICTURE, Scene

__all__ = [
    "EVENTS",
    "MOST_BYTES",
    "Event",
    "Instant",
    "Named",
    "Origin",
    "alert_message",
    "alert_of",
    "camera_message",
    "cannot_judge_message",
    "plain",
    "sight_message",
]

MOST_BYTES: Final = 20_000
"""No body is larger."""
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Controls, halves of a character, and what turns the direction of the text around it: unfit for a sentence."""
_SIGHT: Final[dict[str, tuple[type[CameraFrozen | CameraBlind | CameraMoved], str, str, str]]] = {
    "frozen": (
        CameraFrozen,
        "sends the same picture",
        "sends new pictures again",
        "Nothing is judged there. Restart the camera, or what re-sends its stream.",
    ),
    "blind": (
        CameraBlind,
        "shows nothing",
        "shows something again",
        "Nothing is judged there. Look at lens, light and cable: black, one colour or covered.",
    ),
    "moved": (
        CameraMoved,
        "shows another place than before",
        "shows what it showed, or what it shows is its view now",
        "Turn it back, or check its zones; people are judged by the zones as they stand.",
    ),
}
"""Of each trouble: its event, what is said when it begins and when it is over, and what to do."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events come from, in words for people: the camera's scene and the names that the site file gives."""

    scene: Scene
    camera_name: str = ""
    site: str = ""

    @property
    def camera(self) -> Named:
        """The camera."""
        return Named(id=self.scene.camera, name=plain(self.camera_name or self.scene.camera))

    def zone(self, wanted: str) -> Named:
        """Return a zone of the scene by its id; one without a name is called by its id."""
        name = next((zone.name for zone in self.scene.zones if zone.id == wanted), "")
        return Named(id=plain(wanted), name=plain(name or wanted.replace("-", " ")))

    def time(self, at: Moment) -> str:
        """Return the time of day on the site."""
        return f"{self.scene.local(at.wall_ms):%H:%M:%S}"


def alert_message(change: AlertChange, origin: Origin, width: int, height: int) -> Message:
    """Return the message that tells of an alert's change; `width` and `height` are the picture's, in pixels."""
    alert, at = change.alert, change.at
    lasted = round(max(0.0, at.since(alert.since)), 1)
    path = f"/v1/alerts/{alert.id}/evidence"
    x1, y1, x2, y2 = (round(float(edge), 1) for edge in alert.box)
    known = OpenAlert(
        summary=_sentence(change, origin, lasted),
        site=plain(origin.site),
        camera=origin.camera,
        alert=alert.id,
        zone=origin.zone(alert.zone),
        person=plain(alert.person),
        equipment=alert.equipment,
        severity=alert.severity,
        since=_utc(alert.since),
        fired_at=_utc(alert.fired),
        duration_s=lasted,
        box=Box(x1=x1, y1=y1, x2=x2, y2=y2),
        picture=Picture(width=width, height=height),
        zone_uncertain=alert.zone_uncertain,
        by_absence=alert.by_absence,
        evidence=Evidence.model_validate({kind: f"{path}/{kind}" for kind in Evidence.model_fields}),
    )
    event: Event
    if change.kind in {"fired", "updated"}:
        event = (AlertFired if change.kind == "fired" else AlertUpdated)(timestamp=_utc(at), data=known)
    else:
        ending: Ending = "worn" if change.kind == "resolved" else "lost_sight"
        event = AlertResolved(timestamp=_utc(at), data=EndedAlert(**dict(known), ending=ending))
    return _message(
        event, origin, at, alert.id, subject=Subject(alert.zone, alert.equipment, alert.severity, alert.fired.wall_ms)
    )


def alert_of(message: Message) -> str | None:
    """Return the id of the alert that a message tells of, if it tells of one."""
    if not message.type.startswith("alert."):
        return None
    known = json.loads(message.payload).get("data", {})  # an erased one is empty
    return str(known["alert"]) if "alert" in known else None


def camera_message(state: CameraState, origin: Origin) -> Message:
    """Return the message that tells that a camera was lost or is back.

    Raises:
        ValueError: the state is neither offline nor live; nobody is told of those.
    """
    camera, site, time = origin.camera, plain(origin.site), origin.time(state.at)
    event: Event
    if state.status == "offline":
        summary = f"Camera '{camera.name}' gives no pictures since {time}{f': {state.code}' if state.code else ''}"
        lost = OfflineCamera(
            summary=summary, site=site, camera=camera, code=state.code, detail=plain(state.detail, 300)
        )
        event = CameraOffline(timestamp=_utc(state.at), data=lost)
    elif state.status == "live":
        back = OnlineCamera(summary=f"Camera '{camera.name}' gives pictures since {time}", site=site, camera=camera)
        event = CameraOnline(timestamp=_utc(state.at), data=back)
    else:
        raise ValueError(f"nobody is told that a camera is {state.status}")
    lost_now = state.status == "offline"
    subject = Subject(began_ms=state.at.wall_ms if lost_now else None)
    return _message(event, origin, state.at, camera.id, Condition(OFFLINE, lost_now), subject)


def cannot_judge_message(change: CannotJudge, origin: Origin) -> Message:
    """Return the message that tells that a camera can't judge an equipment, or can again."""
    can = "can't tell" if change.begins else "can tell again"
    why = f"{change.unknown_share:.0%} of {change.person_seconds:.0f} person-seconds unknown"
    if change.reason == "detector_failed":
        why = f"the detector fails for {change.window:.0f} s" if change.begins else "the detector works again"
    known = Blindness(
        summary=f"Camera '{origin.camera.name}' {can} whether people wear a {change.equipment} ({why})",
        site=plain(origin.site),
        camera=origin.camera,
        equipment=change.equipment,
        reason=change.reason,
        begins=change.begins,
        unknown_share=round(change.unknown_share, 4),
        person_seconds=round(change.person_seconds, 1),
        window_s=round(change.window, 1),
    )
    event = CameraCannotJudge(timestamp=_utc(change.at), data=known)
    about = f"{origin.scene.camera}|{change.condition}|{change.begins}"
    subject = Subject(equipment=change.equipment, began_ms=change.at.wall_ms if change.begins else None)
    return _message(event, origin, change.at, about, Condition(change.condition, change.begins), subject)


def sight_message(change: SightChange, origin: Origin) -> Message:
    """Return the message that tells that a camera gives pictures and does not see, or sees again."""
    kind, begun, over, hint = _SIGHT[change.trouble]
    when = change.since if change.begins else change.at
    known = Trouble(
        summary=f"Camera '{origin.camera.name}' {begun if change.begins else over} since {origin.time(when)}",
        site=plain(origin.site),
        camera=origin.camera,
        begins=change.begins,
        since=_utc(change.since),
        duration_s=round(max(0.0, change.at.since(change.since)), 1),
        hint=hint if change.begins else "",
    )
    subject = Subject(began_ms=change.at.wall_ms if change.begins else None)
    about = f"{origin.scene.camera}|{change.begins}"
    condition = Condition(change.trouble, change.begins)
    return _message(kind(timestamp=_utc(change.at), data=known), origin, change.at, about, condition, subject)


def plain(text: str, most: int = 200) -> str:
    """Return text that is safe in JSON and in a sentence: one line, no controls, at most `most` characters."""
    line = " ".join(text[: 2 * most].split())
    return _UNFIT.sub("\ufffd", line if len(line) <= most else f"{line[: most - 1]}…")


def _utc(at: Moment) -> str:
    return datetime.fromtimestamp(at.wall_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sentence(change: AlertChange, origin: Origin, seconds: float) -> str:
    alert = change.alert
    zone = "" if alert.zone == WHOLE_PICTURE else f" in zone '{origin.zone(alert.zone).name}'"
    place = f"{zone} on camera '{origin.camera.name}'"
    lacking, lasted = f"Worker without {alert.equipment}{place}", f"after {seconds:.0f} s"
    if change.kind == "resolved":
        return f"Worker with {alert.equipment} again{place} {lasted}"
    if change.kind == "lost_sight":
        return f"{lacking} out of sight {lasted}; not seen putting it on"
    return f"{lacking}{' seen again,' if change.kind == 'updated' else ''} since {origin.time(alert.since)}"


def _message(
    event: Event,
    origin: Origin,
    at: Moment,
    about: str,
    condition: Condition | None = None,
    subject: Subject = Subject(),  # noqa: B008 - frozen
) -> Message:
    name = f"{about}|{event.type}|{at.wall_ms}"
    return Message(
        id=f"msg_{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        type=event.type,
        camera=origin.scene.camera,
        created_ms=at.wall_ms,
        payload=event.model_dump_json(),
        condition=condition,
        subject=subject,
    )
