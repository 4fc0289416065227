"""What a site file can say, as frozen definitions; see `reading` for how one is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from service.ports import Message
from service.safety.site import AlertPolicy, FrozenModel, Name, Scene
from service.sitefile.broker import BrokerEntry
from service.sitefile.cameras import CameraEntry
from service.sitefile.endpoints import EndpointEntry
from service.sitefile.people import PeopleEntry


class SiteFile(FrozenModel):
    """Everything that a site file says."""

    name: str = Field(default="site", max_length=100)
    time_zone: str = Field(default="UTC", description="IANA name, such as Asia/Seoul: schedules are in it.")
    mode: Literal["alert", "observe"] = Field(
        default="alert", description="observe: everything runs and is recorded, nothing is sent."
    )
    cameras: dict[Name, CameraEntry] = Field(min_length=1)
    policy: AlertPolicy = AlertPolicy()
    blur_faces: bool = Field(
        default=True, description="Makes faces unrecognisable on all evidence but the clean still."
    )
    endpoints: dict[Name, EndpointEntry] = Field(default={}, max_length=32)
    people: dict[Name, PeopleEntry] = Field(default={}, max_length=32)
    mqtt: BrokerEntry | None = Field(
        default=None, description="An MQTT broker that is told, as home automation wants it."
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#@]+)?$",
        max_length=2048,
        description="Where people reach this service: messages to them link to their alerts.",
    )

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

    @property
    def listeners(self) -> dict[str, PeopleEntry]:
        """The people who are told anything: none in the mode observe."""
        return {} if self.mode == "observe" else self.people

    @property
    def broker(self) -> BrokerEntry | None:
        """The broker that is told: none in the mode observe."""
        return None if self.mode == "observe" else self.mqtt

    @property
    def last_resorts(self) -> frozenset[str]:
        """The people who are told only what others did not take up."""
        return frozenset(entry.escalate_to for entry in self.people.values() if entry.escalate_to)

    def wants(self, endpoint: str) -> Callable[[Message], bool]:
        """Return what tells whether an endpoint is sent a message."""
        entry, time_zone = self.endpoints[endpoint], self.time_zone
        return lambda message: entry.wants(message, time_zone)

    def people_want(self, name: str) -> Callable[[Message], bool]:
        """Return what tells whether people are told of a message."""
        entry, time_zone = self.people[name], self.time_zone
        never = {"alert.updated"} if entry.resolved else {"alert.updated", "alert.resolved"}
        return lambda message: message.type not in never and entry.wants(message, time_zone)

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
    wanted += [entry.url_env for entry in site.listeners.values()]
    wanted += [site.broker.password_env] if site.broker and site.broker.password_env else []
    return sorted({name for name in wanted if not known.get(name)})
