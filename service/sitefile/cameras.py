"""Cameras and their zones, as a site file says them."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from service.ports import Priority
from service.safety.sight import WATCHFUL, SightPolicy
from service.safety.site import EVERYTHING, AlertPolicy, FrozenModel, Name, Requirement, Zone
from service.sitefile.words import Schedule, Variable


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
    priority: Priority = Field(
        default="normal", description="Who keeps their frames the longest when the detector can't keep up with all."
    )
    tiles: int = Field(
        default=1, ge=1, le=6, description="Tiles along the longer side, for far people, at a multiple of the cost."
    )
    motion_gate: bool | None = Field(
        default=None,
        description="Leaves out frames of an empty scene on which nothing moves; null: on for cameras, off for films.",
    )
    clip: bool = Field(default=True, description="Keeps a film of the seconds around each alert.")
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
