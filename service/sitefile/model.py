"""What a site file can say, as frozen definitions; see `reading` for how one is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from service.ports import EventType, Message
from service.safety.equipment import Equipment
from service.safety.sight import WATCHFUL, SightPolicy
from service.safety.site import EVERYTHING, AlertPolicy, FrozenModel, Name, Requirement, Scene, Shift, Zone


def _no_secret(name: str) -> str:
    if name.startswith("whsec_"):
        raise ValueError("this is the secret itself: write the name of the environment variable that holds it")
    return name


Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128), AfterValidator(_no_secret)]
"""Name of an environment variable that holds a secret; the secret itself never stands in the file."""


T = TypeVar("T")


def _can_hold(schedule: tuple[Shift, ...]) -> tuple[Shift, ...]:
    if any(side.tzinfo for shift in schedule for side in (shift.start, shift.end)):
        raise ValueError("times are local: write 07:00, without Z or an offset (time_zone says which)")
    if not all(shift.days for shift in schedule):
        raise ValueError("a shift without days never holds; leave days out for every day")
    return schedule


def _not_empty(listed: tuple[T, ...]) -> tuple[T, ...]:
    if not listed:
        raise ValueError("an empty list would take nothing; leave it out to take all")
    return listed


Schedule = Annotated[tuple[Shift, ...], AfterValidator(_can_hold)]
Some = Annotated[tuple[T, ...], AfterValidator(_not_empty)]
"""A list that says something: one that is written out is not empty."""


class ZoneEntry(FrozenModel):
    """A zone in the file; its key is its id. See `safety.site.Zone`."""

    name: str = Field(default="", max_length=100)
    polygon: tuple[tuple[float, float], ...] = Field(
        description="Corners relative to the picture, 0..1: [[x, y], ...]."
    )
    require: tuple[Requirement, ...] = Field(default=EVERYTHING, description="What must be worn: helmet, vest.")
    exempt: bool = Field(default=False, description="People here are tracked, not judged, not counted.")
    ignore: bool = Field(default=False, description="Blacked out before anything looks at the picture.")
    schedule: Schedule = Field(default=(), description="When it asks for anything; always when empty.")

    @model_validator(mode="after")
    def _is_a_zone(self) -> ZoneEntry:
        self.zone("zone")
        return self

    def zone(self, key: str) -> Zone:
        """Return the zone under its id."""
        return Zone(id=key, **{name: getattr(self, name) for name in type(self).model_fields})


class CameraEntry(FrozenModel):
    """A camera in the file; its key is its id."""

    name: str = Field(default="", max_length=100)
    source: str = Field(
        min_length=1,
        max_length=2048,
        description="rtsp://, http://, /dev/video0, a video file or a folder of pictures.",
    )
    fps: float = Field(default=5.0, ge=1, le=30, description="Frames a second that are judged.")
    tiles: int = Field(
        default=1, ge=1, le=6, description="Tiles along the longer side, for far people, at a multiple of the cost."
    )
    motion_gate: bool | None = Field(
        default=None,
        description="Leaves out frames of an empty scene on which nothing moves; null: on for cameras, off for films.",
    )
    sight: SightPolicy = Field(default=WATCHFUL, description="When it is told that a camera does not see.")
    user: str | None = Field(default=None, max_length=256)
    password_env: Variable | None = Field(default=None, description="Environment variable that holds the password.")
    zones: dict[Name, ZoneEntry] = Field(default={}, description="Without any, the whole picture asks for both.")
    policy: AlertPolicy | None = Field(default=None, description="Instead of the site's, for this camera.")

    @model_validator(mode="before")
    @classmethod
    def _bare_source(cls, value: object) -> object:
        return {"source": value} if isinstance(value, str) else value

    @field_validator("source")
    @classmethod
    def _no_credentials(cls, source: str) -> str:
        head, separator, rest = source.partition("://")
        forgotten = not separator and ":" in source.partition("@")[0] and "@" in source  # user:password@host
        if forgotten or (separator and "@" in rest):  # anywhere: an unencoded password may hold / ? #
            head = head if separator else "rtsp"
            raise ValueError(
                f"credentials don't belong into the source: write {head}://HOST/..., user: and password_env: "
                "(an @ in the path is written %40)"
            )
        return source


class EndpointEntry(FrozenModel):
    """Somebody who is told; its key is its name. It is told what all its filters take; one that is left out takes all.

    An event passes the filters of what it does not have: no zone stops `camera.offline`.
    """

    url: str = Field(pattern=r"^https?://", max_length=2048, description="Where webhooks are posted to.")
    secret_env: Variable = Field(description="Environment variable with the whsec_ secret that signs them.")
    previous_secret_env: Variable | None = Field(
        default=None,
        description="Environment variable with the secret before, while receivers change to the new one: messages are "
        "signed with both.",
    )
    lan: bool = Field(default=False, description="The receiver is on this machine or network; plain http is taken.")
    events: Some[EventType] = Field(default=(), description="Types of events that are sent; all when left out.")
    cameras: Some[Name] = Field(default=(), description="Cameras that it is told of; all when left out.")
    zones: Some[Name] = Field(default=(), description="Zones whose alerts are sent; all when left out.")
    equipment: Some[Equipment] = Field(default=(), description="Equipment that it is told of; all when left out.")
    schedule: Schedule = Field(
        default=(), description="When something must have begun to be sent; always when left out."
    )

    @property
    def secrets_env(self) -> tuple[str, ...]:
        """The names of the variables with its secrets, the newest first."""
        return (self.secret_env,) if self.previous_secret_env is None else (self.secret_env, self.previous_secret_env)

    @property
    def address(self) -> str:
        """A digest of its URL: tells whether it has a new one."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    def wants(self, message: Message, time_zone: str) -> bool:
        """Tell whether it is sent a message.

        All messages of one alert are judged at the time at which it fired, so that who is told of an alert hears of its
        end; that something else is over is told at every hour.
        """
        about, asked = message.subject, (self.events, self.cameras, self.zones, self.equipment)
        found = (message.type, message.camera, about.zone, about.equipment)
        if not all(value is None or not some or value in some for some, value in zip(asked, found, strict=True)):
            return False
        if not self.schedule or about.began_ms is None:
            return True
        local = datetime.fromtimestamp(about.began_ms / 1000, UTC).astimezone(ZoneInfo(time_zone))
        return any(shift.holds(local) for shift in self.schedule)


class SiteFile(FrozenModel):
    """Everything that a site file says."""

    name: str = Field(default="site", max_length=100)
    time_zone: str = Field(default="UTC", description="IANA name, such as Asia/Seoul: schedules are in it.")
    mode: Literal["alert", "observe"] = Field(
        default="alert", description="observe: everything runs and is recorded, nothing is sent."
    )
    cameras: dict[Name, CameraEntry] = Field(min_length=1)
    policy: AlertPolicy = AlertPolicy()
    endpoints: dict[Name, EndpointEntry] = Field(default={}, max_length=32)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, time_zone: str) -> str:
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{time_zone!r} is no IANA time zone; write one such as Europe/Berlin or UTC") from error
        return time_zone

    @property
    def receivers(self) -> dict[str, EndpointEntry]:
        """The endpoints that are sent anything: none in the mode observe."""
        return {} if self.mode == "observe" else self.endpoints

    def wants(self, endpoint: str) -> Callable[[Message], bool]:
        """Return what tells whether an endpoint is sent a message."""
        entry, time_zone = self.endpoints[endpoint], self.time_zone
        return lambda message: entry.wants(message, time_zone)

    def scene(self, camera: str) -> Scene:
        """Return what one camera's monitor needs to know."""
        entry = self.cameras[camera]
        zones = tuple(zone.zone(key) for key, zone in entry.zones.items())
        return Scene(camera=camera, zones=zones, policy=entry.policy or self.policy, time_zone=self.time_zone)


def missing_secrets(site: SiteFile, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of environment variables that are needed to start and not set."""
    known = os.environ if environment is None else environment
    wanted = [entry.password_env for entry in site.cameras.values() if entry.password_env]
    wanted += [name for entry in site.receivers.values() for name in entry.secrets_env]
    return sorted({name for name in wanted if not known.get(name)})
