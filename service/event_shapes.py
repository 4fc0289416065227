"""The shapes of the bodies that leave, each ``{type, timestamp, data}``; `events` fills, docs/schemas shows them."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from service.ports import CameraCode
from service.safety.alerts import Ending
from service.safety.coverage import Blind
from service.safety.equipment import Equipment
from service.safety.site import Severity

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
    """Paths of the alert's pictures and clip, below the service's address. They never change."""

    annotated: str
    clean: str
    crop: str
    clip: str


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


class Trouble(_News):
    """A camera gives pictures and does not see, or ceased to."""

    begins: bool = Field(description="True when it begins, false when it is over.")
    since: Instant = Field(description="When the pictures came to be so.")
    duration_s: float = Field(description="Seconds from `since` to `timestamp`.")
    hint: str = Field(description="What to do, as a sentence; empty when it is over.")


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


class CameraFrozen(_Event):
    """A camera began or ceased to repeat one picture: nothing is watched there."""

    type: Literal["camera.frozen"] = "camera.frozen"
    data: Trouble


class CameraBlind(_Event):
    """A camera began or ceased to show nothing: black, one colour, covered. Nothing is watched there."""

    type: Literal["camera.blind"] = "camera.blind"
    data: Trouble


class CameraMoved(_Event):
    """A camera began or ceased to show another place than before: its zones lie elsewhere. People are judged on."""

    type: Literal["camera.moved"] = "camera.moved"
    data: Trouble


Event = (
    AlertFired
    | AlertUpdated
    | AlertResolved
    | CameraOffline
    | CameraOnline
    | CameraCannotJudge
    | CameraFrozen
    | CameraBlind
    | CameraMoved
)
EVENTS: Final[tuple[type[Event], ...]] = get_args(Event)
