"""What a site file can say, as frozen definitions; see `reading` for how one is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from service.safety.site import EVERYTHING, AlertPolicy, FrozenModel, Name, Requirement, Scene, Shift, Zone


def _no_secret(name: str) -> str:
    if name.startswith("whsec_"):
        raise ValueError("this is the secret itself: write the name of the environment variable that holds it")
    return name


Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128), AfterValidator(_no_secret)]
"""Name of an environment variable that holds a secret; the secret itself never stands in the file."""


class ZoneEntry(FrozenModel):
    """A zone in the file; its key is its id. See `safety.site.Zone`."""

    name: str = Field(default="", max_length=100)
    polygon: tuple[tuple[float, float], ...] = Field(
        description="Corners relative to the picture, 0..1: [[x, y], ...]."
    )
    require: tuple[Requirement, ...] = Field(default=EVERYTHING, description="What must be worn: helmet, vest.")
    exempt: bool = Field(default=False, description="People here are tracked, not judged, not counted.")
    ignore: bool = Field(default=False, description="Blacked out before anything looks at the picture.")
    schedule: tuple[Shift, ...] = Field(default=(), description="When it asks for anything; always when empty.")

    @model_validator(mode="after")
    def _is_a_zone(self) -> ZoneEntry:
        self.zone("zone")
        return self

    @field_validator("schedule")
    @classmethod
    def _can_hold(cls, schedule: tuple[Shift, ...]) -> tuple[Shift, ...]:
        if any(side.tzinfo for shift in schedule for side in (shift.start, shift.end)):
            raise ValueError("times are local: write 07:00, without Z or an offset (time_zone says which)")
        if not all(shift.days for shift in schedule):
            raise ValueError("a shift without days never holds; leave days out for every day")
        return schedule

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
    """Somebody who is told; its key is its name."""

    url: str = Field(pattern=r"^https?://", max_length=2048, description="Where webhooks are posted to.")
    secret_env: Variable = Field(description="Environment variable with the whsec_ secret that signs them.")
    lan: bool = Field(default=False, description="The receiver is on this machine or network; plain http is taken.")


class SiteFile(FrozenModel):
    """Everything that a site file says."""

    name: str = Field(default="site", max_length=100)
    time_zone: str = Field(default="UTC", description="IANA name, such as Asia/Seoul: schedules are in it.")
    mode: Literal["alert", "observe"] = Field(
        default="alert", description="observe: everything runs and is recorded, nothing is sent."
    )
    cameras: dict[Name, CameraEntry] = Field(min_length=1)
    policy: AlertPolicy = AlertPolicy()
    endpoints: dict[Name, EndpointEntry] = Field(default={}, max_length=1)

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

    def scene(self, camera: str) -> Scene:
        """Return what one camera's monitor needs to know."""
        entry = self.cameras[camera]
        zones = tuple(zone.zone(key) for key, zone in entry.zones.items())
        return Scene(camera=camera, zones=zones, policy=entry.policy or self.policy, time_zone=self.time_zone)


def missing_secrets(site: SiteFile, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of environment variables that are needed to start and not set."""
    known = os.environ if environment is None else environment
    wanted = [entry.password_env for entry in site.cameras.values() if entry.password_env]
    wanted += [entry.secret_env for entry in site.receivers.values()]
    return sorted({name for name in wanted if not known.get(name)})
