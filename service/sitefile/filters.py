"""Which messages somebody is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import Field

from service.ports import EventType, Message
from service.safety.equipment import Equipment
from service.safety.site import FrozenModel, Name, Severity
from service.sitefile.words import Schedule, Some


class Filters(FrozenModel):
    """What somebody is sent: what all filters take; one that is left out takes all.

    An event passes the filters of what it does not have: no zone stops `camera.offline`.
    """

    events: Some[EventType] = Field(default=(), description="Types of events that are sent; all when left out.")
    cameras: Some[Name] = Field(default=(), description="Cameras that it is told of; all when left out.")
    zones: Some[Name] = Field(default=(), description="Zones whose alerts are sent; all when left out.")
    equipment: Some[Equipment] = Field(default=(), description="Equipment that it is told of; all when left out.")
    severity: Some[Severity] = Field(default=(), description="How severe an alert must be; any when left out.")
    schedule: Schedule = Field(
        default=(), description="When something must have begun to be sent; always when left out."
    )

    def wants(self, message: Message, time_zone: str) -> bool:
        """Tell whether it is sent a message.

        All messages of one alert are judged at the time at which it fired, so that who is told of an alert hears of its
        end; that something else is over is told at every hour.
        """
        about, asked = message.subject, (self.events, self.cameras, self.zones, self.equipment, self.severity)
        found = (message.type, message.camera, about.zone, about.equipment, about.severity)
        if not all(value is None or not some or value in some for some, value in zip(asked, found, strict=True)):
            return False
        if not self.schedule or about.began_ms is None:
            return True
        local = datetime.fromtimestamp(about.began_ms / 1000, UTC).astimezone(ZoneInfo(time_zone))
        return any(shift.holds(local) for shift in self.schedule)
