"""The shapes of what is watched: alerts, what people say of them, cameras and compliance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.instants import from_ms
from service.api.schemas import BoxSchema, Schema
from service.events import Instant, Named, Origin
from service.health import CameraReport
from service.inquiry import Change, History, Listed, Mark, MarkKind, Share
from service.ports import CameraCode, CameraStatus
from service.safety.alerts import Alert, Ending, Kind
from service.safety.coverage import Blind
from service.safety.equipment import Equipment
from service.safety.site import Severity

Status = Literal["open", "ended"]
Seconds = Annotated[float, Field(description="Person-seconds: summed over the people that were seen.")]


class MarkSchema(Schema):
    """Something that a person said of an alert."""

    at: Instant
    by: str = Field(description="Who said it, as they call themselves; empty when they did not say.")
    note: str = Field(description="A note, or why it is a false alarm.")
    until: Instant | None = Field(description="Until when it is snoozed; null of the other kinds.")

    @classmethod
    def of(cls, mark: Mark) -> MarkSchema:
        """Present a mark."""
        until = None if mark.until_ms is None else from_ms(mark.until_ms)
        return cls(at=from_ms(mark.at_ms), by=mark.by, note=mark.note, until=until)


class EvidenceSchema(Schema):
    """Paths of the alert's pictures and clip, below the service's address; null where there is none (yet, any more)."""

    annotated: str | None
    clean: str | None
    crop: str | None
    clip: str | None

    @classmethod
    def of(cls, alert: str, kinds: Iterable[str]) -> EvidenceSchema:
        """Link the pictures that are there."""
        path = f"/v1/alerts/{alert}/evidence"
        return cls.model_validate({kind: f"{path}/{kind}" if kind in kinds else None for kind in cls.model_fields})


class AlertSchema(Schema):
    """An alert as it stands: one person, one zone, one equipment."""

    id: str = Field(description="The same as `alert` in its webhooks.")
    camera: Named
    zone: Named
    person: str = Field(description="Opaque: the same while the camera follows this person, and nothing beyond.")
    equipment: Equipment = Field(description="What is missing.")
    severity: Severity
    status: Status
    since: Instant = Field(description="When the violation began.")
    fired_at: Instant = Field(description="When it had lasted long enough to become an alert. The list goes by it.")
    seen_at: Instant = Field(description="When it was last seen, some seconds late while it is open.")
    ended_at: Instant | None
    ending: Ending | None = Field(description="worn, or lost_sight: nobody saw them put it on. Null while it is open.")
    duration_s: float = Field(description="Seconds from `since` to `ended_at`, or to `seen_at` while it is open.")
    box: BoxSchema = Field(description="Where the person was seen last.")
    zone_uncertain: bool = Field(description="The feet were not in the picture; the zone is an estimate.")
    by_absence: bool = Field(description="No equipment was seen for long, rather than bare head or plain clothes.")
    acknowledged: MarkSchema | None = Field(description="The newest acknowledgement, or null.")
    snoozed: MarkSchema | None = Field(description="The newest snooze while it lasts, or null.")
    false_alarm: MarkSchema | None = Field(description="Why it was said to be a false alarm, or null.")
    evidence: EvidenceSchema

    @classmethod
    def of(cls, listed: Listed, origin: Origin, now_ms: int) -> AlertSchema:
        """Present an alert in the names of its site."""
        alert = listed.alert
        said = {mark.kind: MarkSchema.of(mark) for mark in listed.marks if (mark.until_ms or now_ms + 1) > now_ms}
        ended = alert.ended
        return cls(
            id=alert.id,
            camera=origin.camera,
            zone=origin.zone(alert.zone),
            person=alert.person,
            equipment=alert.equipment,
            severity=alert.severity,
            status="open" if ended is None else "ended",
            since=from_ms(alert.since.wall_ms),
            fired_at=from_ms(alert.fired.wall_ms),
            seen_at=from_ms(alert.seen.wall_ms),
            ended_at=None if ended is None else from_ms(ended.wall_ms),
            ending=alert.ending,
            duration_s=_lasted(alert),
            box=BoxSchema.of(alert.box),
            zone_uncertain=alert.zone_uncertain,
            by_absence=alert.by_absence,
            acknowledged=said.get("acknowledged"),
            snoozed=said.get("snoozed"),
            false_alarm=said.get("false_alarm"),
            evidence=EvidenceSchema.of(alert.id, listed.evidence),
        )


def _lasted(alert: Alert) -> float:
    last = alert.ended or alert.seen
    # by the wall clock: the two may be of different runs, and only that one goes on between them
    return round(max(0, last.wall_ms - alert.since.wall_ms) / 1000, 1)


class PageSchema(Schema):
    """A page of alerts, newest first."""

    alerts: list[AlertSchema]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class ChangeSchema(Schema):
    """Something happened to an alert, or somebody said something of it."""

    kind: Kind | MarkKind
    at: Instant
    by: str | None = Field(description="Who said it; null of what was watched.")
    note: str | None = Field(description="What they said; null of what was watched.")
    until: Instant | None = Field(description="Until when it is snoozed; else null.")

    @classmethod
    def of(cls, change: Change | Mark) -> ChangeSchema:
        """Present a change or a mark."""
        if isinstance(change, Change):
            return cls(kind=change.kind, at=from_ms(change.at.wall_ms), by=None, note=None, until=None)
        return cls(kind=change.kind, **dict(MarkSchema.of(change)))


class AlertHistorySchema(AlertSchema):
    """An alert as it stands, and what happened to it."""

    changes: list[ChangeSchema] = Field(description="Oldest first.")

    @classmethod
    def of_history(cls, history: History, origin: Origin, now_ms: int) -> AlertHistorySchema:
        """Present an alert with its changes."""
        newest = {mark.kind: mark for mark in history.marks}
        listed = Listed(history.alert, tuple(newest.values()), history.evidence)
        times = [(change.at.wall_ms, ChangeSchema.of(change)) for change in history.changes]
        times += [(mark.at_ms, ChangeSchema.of(mark)) for mark in history.marks]
        ordered = [change for _, change in sorted(times, key=lambda one: one[0])]
        return cls(**dict(AlertSchema.of(listed, origin, now_ms)), changes=ordered)


class BlindSchema(Schema):
    """An equipment that a camera can't judge, as `camera.cannot_judge` tells it."""

    equipment: Equipment
    reason: Blind


class CameraSchema(Schema):
    """A camera as it does now."""

    id: str
    name: str
    status: CameraStatus = Field(
        description="frozen: it repeats one picture. blind: its pictures show nothing. moved: it shows another place "
        "than before. ended: a recording that was watched to its end."
    )
    since: Instant = Field(description="When it came to be so.")
    code: CameraCode | None = Field(description="Why it is offline, from a closed list; null when it is not known.")
    detail: str = Field(description="More for people; never a credential.")
    frame_age_s: float | None = Field(description="Seconds since the last judged frame was captured; null before one.")
    frames_per_second: float = Field(description="Frames judged a second, over the last ten seconds.")
    reduced_to: float | None = Field(
        description="Frames a second that it gets while the detector can't keep up with all cameras; null: what it "
        "asks for."
    )
    people: int | None = Field(description="People on the last judged frame; null before one.")
    unverified: int | None = Field(
        description="People on it who could be judged and have been unknown for long; null before one."
    )
    can_judge: bool = Field(description="True when it is live or moved and nothing stands in `cannot_judge`.")
    cannot_judge: list[BlindSchema]

    @classmethod
    def of(cls, report: CameraReport, name: str, unverified: int | None) -> CameraSchema:
        """Present a camera's report."""
        state = report.state
        return cls(
            id=report.camera,
            name=name,
            status=state.status,
            since=from_ms(state.at.wall_ms),
            code=state.code,
            detail=state.detail,
            frame_age_s=None if report.frame_age is None else round(report.frame_age, 1),
            frames_per_second=round(report.rate, 1),
            reduced_to=None if report.reduced_to is None else round(report.reduced_to, 1),
            people=report.people,
            unverified=unverified,
            can_judge=report.judges and not report.blind,
            cannot_judge=[BlindSchema(equipment=equipment, reason=reason) for equipment, reason in report.blind],
        )


class CamerasSchema(Schema):
    """The cameras of the site, in the order of the site file."""

    cameras: list[CameraSchema]


class EntrySchema(Schema):
    """What the site file says of a camera."""

    version: str = Field(description="Of the site file; `If-Match` takes it.")
    entry: dict[str, Any] = Field(description="As in the site file, without what is the default.")


class ChangedSchema(Schema):
    """What a change of the site came to; cameras that it does not name went on."""

    version: str = Field(description="Of the site file as it stands now.")
    added: list[str] = Field(description="Cameras that are watched from now on.")
    changed: list[str] = Field(description="Cameras that are watched anew.")
    removed: list[str] = Field(description="Cameras that are watched no more.")
    at_next_start: list[str] = Field(description="Parts of the file that differ and are read at the next start.")


class ShareSchema(Schema):
    """How much of the time it was worn, and how much of the time that could be told."""

    worn_s: Seconds
    missing_s: Seconds
    unknown_s: Seconds
    compliance: float | None = Field(description="worn / (worn + missing), 0..1; null when nothing was judged.")
    coverage: float | None = Field(description="(worn + missing) / all, 0..1; null when nobody was seen.")


class GroupSchema(ShareSchema):
    """The share of one group."""

    camera: str | None = Field(description="The camera's id; null when not grouped by it.")
    zone: str | None = Field(
        description="The zone's id, `whole-picture` of a camera without zones; empty for what was counted before zones "
        "were told apart; null when not grouped by it."
    )
    equipment: Equipment | None = Field(description="Null when not grouped by it.")
    hour: Instant | None = Field(description="When the hour begins (UTC); null when not grouped by it.")

    @classmethod
    def of(cls, share: Share) -> GroupSchema:
        """Present one group."""
        hour = None if share.hour_ms is None else from_ms(share.hour_ms)
        return cls(camera=share.camera, zone=share.zone, equipment=share.equipment, hour=hour, **shares([share]))


class StatsSchema(Schema):
    """Compliance of the hours that begin in [since, until)."""

    since: Instant
    until: Instant
    total: ShareSchema
    groups: list[GroupSchema] = Field(description="Ordered by camera, zone, equipment and hour; without empty ones.")


def shares(found: Iterable[Share]) -> dict[str, float | None]:
    """Return the fields of `ShareSchema` for the sum of some groups."""
    groups = list(found)
    worn, missing, unknown = (sum(getattr(one, state) for one in groups) for state in ("worn", "missing", "unknown"))
    judged = worn + missing
    return {
        "worn_s": round(worn, 1),
        "missing_s": round(missing, 1),
        "unknown_s": round(unknown, 1),
        "compliance": round(worn / judged, 4) if judged else None,
        "coverage": round(judged / (judged + unknown), 4) if judged + unknown else None,
    }
