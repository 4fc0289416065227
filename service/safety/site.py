"""What a site asks of people, where and when: one frozen definition that YAML, API and rules share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import shapely
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from service.safety.equipment import EQUIPMENT, Equipment

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Severity = Literal["low", "medium", "high"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""An id: a-z, 0-9, - and _, at most 63 characters."""
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_PICTURE: Final = "whole-picture"


class FrozenModel(BaseModel):
    """A definition: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Shift(FrozenModel):
    """Some hours on some days of every week, in the site's time zone; past midnight when `to` is not after `from`."""

    days: tuple[Day, ...] = DAYS
    start: time = Field(default=time(0), alias="from")
    end: time = Field(default=time(0), alias="to")

    def holds(self, local: datetime) -> bool:
        """Tell whether a local time lies in this shift (the start is in, the end is out)."""
        today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        now = local.time()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)


class Requirement(FrozenModel):
    """One equipment that a zone requires.

    Attributes:
        equipment: what must be worn.
        absent_after: opt-in: seconds of a well visible head or torso with neither the item nor its negative class,
            after which it counts as missing. None: absence of evidence stays unknown.
    """

    equipment: Equipment
    absent_after: Annotated[float, Field(gt=0, le=600)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: object) -> object:
        return {"equipment": value} if isinstance(value, str) else value


EVERYTHING: Final = tuple(Requirement(equipment=equipment) for equipment in EQUIPMENT)


class Zone(FrozenModel):
    """A part of the picture and what is asked of people who stand in it.

    Attributes:
        polygon: corners, relative to the picture (0..1).
        require: what must be worn there, unless it is exempt or ignored.
        exempt: people are tracked, not judged, not counted.
        ignore: blacked out before anything looks at the picture.
        schedule: when it asks for anything, or exempts; always when empty.
    """

    id: Name
    name: str = ""
    polygon: tuple[tuple[float, float], ...]
    require: tuple[Requirement, ...] = EVERYTHING
    exempt: bool = False
    ignore: bool = False
    schedule: tuple[Shift, ...] = ()

    @field_validator("polygon")
    @classmethod
    def _simple(cls, polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if len(polygon) < 3:
            raise ValueError(f"a polygon needs at least 3 points, got {len(polygon)}")
        if not all(0 <= value <= 1 for point in polygon for value in point):
            raise ValueError("points are relative to the picture: every value from 0 to 1")
        shape = shapely.Polygon(polygon)
        if not shape.is_valid or shape.area <= 0:
            raise ValueError("the polygon crosses itself or has no area")
        return polygon

    @model_validator(mode="after")
    def _one_kind(self) -> Zone:
        if self.exempt and self.ignore:
            raise ValueError("a zone is exempt or ignored, not both")
        if self.ignore and self.schedule:
            raise ValueError("an ignored zone is black at all times: it takes no schedule")
        if len({requirement.equipment for requirement in self.require}) != len(self.require):
            raise ValueError("an equipment is required twice")
        return self

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point (relative to the picture) lies in the zone; its edge is in."""
        return bool(shapely.Polygon(self.polygon).covers(shapely.Point(x, y)))

    def active(self, local: datetime) -> bool:
        """Tell whether the zone asks for anything at a local time."""
        return not self.schedule or any(shift.holds(local) for shift in self.schedule)


class AlertPolicy(FrozenModel):
    """When a violation becomes an alert and when that ends. Seconds, unless said otherwise.

    Attributes:
        on_delay: a violation must last this long.
        least_sightings: and have been seen on this many frames.
        off_delay: evidence of worn for this long resolves.
        pause: unknown for up to this long pauses the on_delay clock; longer resets it.
        lost_after: without evidence for this long an alert closes as lost_sight.
        reopen_within: a person who reappears near where they were lost continues their alert.
        unverified_after: a person who could be judged and is unknown for this long is unverified.
    """

    on_delay: Annotated[float, Field(ge=0, le=3600)] = 2.0
    least_sightings: Annotated[int, Field(ge=1, le=100)] = 3
    off_delay: Annotated[float, Field(ge=0, le=3600)] = 5.0
    pause: Annotated[float, Field(ge=0, le=60)] = 2.0
    lost_after: Annotated[float, Field(gt=0, le=3600)] = 30.0
    reopen_within: Annotated[float, Field(ge=0, le=3600)] = 60.0
    unverified_after: Annotated[float, Field(gt=0, le=3600)] = 10.0
    severity: dict[Equipment, Severity] = Field(default={"helmet": "high", "vest": "medium"})

    @field_validator("severity")
    @classmethod
    def _complete(cls, severity: dict[Equipment, Severity]) -> dict[Equipment, Severity]:
        return {"helmet": "high", "vest": "medium", **severity}


class Scene(FrozenModel):
    """What one camera's monitor needs to know of the site.

    Attributes:
        camera: the camera's id.
        zones: without any, the whole picture requires helmet and vest.
        policy: when alerts begin and end.
        time_zone: IANA name of the zone that schedules are written in.
    """

    camera: Name
    zones: tuple[Zone, ...] = ()
    policy: AlertPolicy = AlertPolicy()
    time_zone: str = "UTC"

    def local(self, wall_ms: int) -> datetime:
        """Return a moment's local time on the site."""
        return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(ZoneInfo(self.time_zone))

    def at(self, x: float, y: float) -> Iterator[Zone]:
        """Yield the zones that hold a point (relative to the picture), in their order."""
        return (zone for zone in self.zones if zone.holds(x, y))
