"""What a site file can say, as frozen definitions; see `reading` for how one is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from service.ports import Message
from service.safety.site import AlertPolicy, FrozenModel, Name, Scene
from service.sitefile.cameras import CameraEntry
from service.sitefile.endpoints import EndpointEntry


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
