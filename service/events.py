"""What happened, as JSON for other systems: the bodies of the messages that leave, and their published schemas.

Every body is ``{type, timestamp, data}``. It is a function of what happened alone: the same change gives the same bytes
and the same message id in every replay. Names are cut and cleaned, so that a body stays under 20 kB whatever they hold.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from service.ports import OFFLINE, CameraCode, CameraState, Condition, Message
from service.safety.alerts import AlertChange, Ending
from service.safety.coverage import Blind, CannotJudge
from service.safety.equipment import Equipment
from service.safety.moment import Moment
from service.safety.site import WHOLE_PICTURE, Scene, Severity

MOST_BYTES: Final = 20_000
"""No body is larger."""
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
"""Controls, halves of a character, and what turns the direction of the text around it: unfit for a sentence."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-02T13:03:07.120Z"])]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Named(_Shape):
    """A camera or a zone: its id in the site file never changes by itself, its name is for people."""

    id: str
    name: str


class Box(_Shape):
    """Corners of the person's box in pixels of the picture, one decimal."""

    x1: float
    y1: float
    x2: float
    y2: float


class Picture(_Shape):
    """Size of the picture that the box lies on, in pixels."""

    width: int
    height: int


class Evidence(_Shape):
    """Paths of the alert's pictures, below the service's address. They never change."""

    annotated: str
    clean: str
    crop: str


class _News(_Shape):
    summary: str = Field(description="What happened, as a sentence; times in the site's time zone.")
    site: str
    camera: Named


class OpenAlert(_News):
    """An alert: one person, one zone, one equipment."""

    alert: str = Field(description="The alert's id; the same in all its events.")
    zone: Named
    person: str = Field(description="Opaque: the same while the camera follows this person, and nothing beyond.")
    equipment: Equipment = Field(description="What is missing.")
    severity: Severity
    since: Instant = Field(description="When the violation began.")
    fired_at: Instant = Field(description="When it had lasted long enough to become an alert.")
    duration_s: float = Field(description="Seconds from `since` to `timestamp`.")
    box: Box = Field(description="Where the person was seen last.")
    picture: Picture
    zone_uncertain: bool = Field(description="The feet were not in the picture; the zone is an estimate.")
    by_absence: bool = Field(description="No equipment was seen for long, rather than bare head or plain clothes.")
    evidence: Evidence


class EndedAlert(OpenAlert):
    """An alert that ended."""

    ending: Ending = Field(description="worn: it is worn now. lost_sight: the person was not seen any more.")


class OnlineCamera(_News):
    """A camera gives pictures again."""


class OfflineCamera(_News):
    """A camera gives no pictures."""

    code: CameraCode | None = Field(description="Why, from a closed list; null when it is not known.")
    detail: str = Field(description="More for people; never a credential.")


class Blindness(_News):
    """A camera can't tell whether people wear an equipment."""

    equipment: Equipment
    reason: Blind = Field(description="mostly_unknown: people are seen badly. detector_failed: nothing is judged.")
    begins: bool = Field(description="True when it begins, false when what began for the same reason is over.")
    unknown_share: float = Field(description="Share of the person-seconds that could not be judged, 0..1.")
    person_seconds: float = Field(description="Seconds that people were seen, summed over people.")
    window_s: float = Field(description="The two numbers are of these last seconds.")


class _Event(_Shape):
    type: str
    timestamp: Instant = Field(description="When it happened, UTC.")


class AlertFired(_Event):
    """A worker lacks an equipment, for long enough to tell somebody."""

    type: Literal["alert.fired"] = "alert.fired"
    data: OpenAlert


class AlertUpdated(_Event):
    """An alert that had ended as lost_sight goes on: the person is seen again, still without."""

    type: Literal["alert.updated"] = "alert.updated"
    data: OpenAlert


class AlertResolved(_Event):
    """An alert ended."""

    type: Literal["alert.resolved"] = "alert.resolved"
    data: EndedAlert


class CameraOffline(_Event):
    """A camera was lost: nothing is watched there."""

    type: Literal["camera.offline"] = "camera.offline"
    data: OfflineCamera


class CameraOnline(_Event):
    """A camera is back."""

    type: Literal["camera.online"] = "camera.online"
    data: OnlineCamera


class CameraCannotJudge(_Event):
    """A camera began or ceased to be unable to judge an equipment: silence does not mean that it is worn."""

    type: Literal["camera.cannot_judge"] = "camera.cannot_judge"
    data: Blindness


Event = AlertFired | AlertUpdated | AlertResolved | CameraOffline | CameraOnline | CameraCannotJudge
EVENTS: Final[tuple[type[Event], ...]] = get_args(Event)


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
        evidence=Evidence(annotated=f"{path}/annotated", clean=f"{path}/clean", crop=f"{path}/crop"),
    )
    event: Event
    if change.kind in {"fired", "updated"}:
        event = (AlertFired if change.kind == "fired" else AlertUpdated)(timestamp=_utc(at), data=known)
    else:
        ending: Ending = "worn" if change.kind == "resolved" else "lost_sight"
        event = AlertResolved(timestamp=_utc(at), data=EndedAlert(**dict(known), ending=ending))
    return _message(event, origin, at, alert.id)


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
    return _message(event, origin, state.at, camera.id, Condition(OFFLINE, state.status == "offline"))


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
    return _message(event, origin, change.at, about, Condition(change.condition, change.begins))


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


def _message(event: Event, origin: Origin, at: Moment, about: str, condition: Condition | None = None) -> Message:
    name = f"{about}|{event.type}|{at.wall_ms}"
    return Message(
        id=f"msg_{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        type=event.type,
        camera=origin.scene.camera,
        created_ms=at.wall_ms,
        payload=event.model_dump_json(),
        condition=condition,
    )
