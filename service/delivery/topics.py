"""What a broker is told, and where: topics and payloads, for machines in general and Home Assistant. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from service.health import CameraReport
from service.ports import Message
from service.safety.equipment import EQUIPMENT, Equipment

ONLINE: Final = "online"
OFFLINE: Final = "offline"
ON: Final = "ON"
OFF: Final = "OFF"
_TYPES: Final = {"alert.fired": "new", "alert.updated": "update", "alert.resolved": "end"}
_WELL: Final = "{{ 'OFF' if value_json.state in ['live', 'ended'] and not value_json.cannot_judge else 'ON' }}"
_LACKING: Final[dict[Equipment, str]] = {"helmet": "No helmet", "vest": "No vest"}


@dataclass(frozen=True, slots=True)
class Publication:
    """Something to publish; what is retained is told to who subscribes later as well."""

    topic: str
    payload: str | bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A camera as the broker knows it: its name, and what it asks people to wear."""

    id: str
    name: str
    equipment: tuple[Equipment, ...]


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below a prefix; `discovery` begins those of Home Assistant, None has none."""

    prefix: str
    discovery: str | None = None

    @property
    def available(self) -> str:
        """Whether the service is there."""
        return f"{self.prefix}/available"

    @property
    def events(self) -> str:
        """What became of alerts."""
        return f"{self.prefix}/events"

    @property
    def births(self) -> str | None:
        """Where Home Assistant says that it starts."""
        return self.discovery and f"{self.discovery}/status"

    def camera(self, camera: str, what: str) -> str:
        """Return a topic of a camera: state, events, image, helmet or vest."""
        return f"{self.prefix}/camera/{camera}/{what}"

    def news(self, message: Message) -> Publication:
        """Return what tells of a message: alerts as Frigate tells its events, all else as webhooks carry it.

        Raises:
            ValueError: the message says nothing (any more).
        """
        try:
            body: dict[str, Any] = json.loads(message.payload)
            if message.type not in _TYPES:
                return Publication(self.camera(message.camera, "events"), message.payload, retain=False)
            event = {"type": _TYPES[message.type], "before": _before(body), "after": _after(body)}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("it says nothing that could be published") from error
        return Publication(self.events, _text(event), retain=False)

    def state(self, report: CameraReport) -> Publication:
        """Return what tells how a camera does."""
        known = {
            "state": report.state.status,
            "since": report.state.at.wall_ms / 1000,
            "code": report.state.code,
            "cannot_judge": [{"equipment": equipment, "reason": reason} for equipment, reason in report.blind],
        }
        return Publication(self.camera(report.camera, "state"), _text(known))

    def lacking(self, camera: str, equipment: Equipment, *, open: bool) -> Publication:  # noqa: A002 - it reads as it is
        """Return what tells whether somebody is without an equipment on a camera."""
        return Publication(self.camera(camera, equipment), ON if open else OFF)

    def image(self, camera: str, jpeg: bytes) -> Publication:
        """Return a picture of an alert. It is not retained: a broker would keep it past its erasure."""
        return Publication(self.camera(camera, "image"), jpeg, retain=False)

    def discoveries(self, camera: Told) -> list[Publication]:
        """Return what makes a camera known to Home Assistant: a sensor for each equipment, its state, its pictures."""
        if self.discovery is None:
            return []
        state = self.camera(camera.id, "state")
        found = [
            self._entity(
                camera,
                "binary_sensor",
                equipment,
                _LACKING[equipment],
                device_class="safety",
                state_topic=self.camera(camera.id, equipment),
                payload_on=ON,
                payload_off=OFF,
            )
            for equipment in camera.equipment
        ]
        trouble = {"state_topic": state, "value_template": _WELL, "json_attributes_topic": state}
        pictures = {"image_topic": self.camera(camera.id, "image"), "content_type": "image/jpeg"}
        return [
            *found,
            self._entity(
                camera,
                "binary_sensor",
                "problem",
                "Camera problem",
                device_class="problem",
                entity_category="diagnostic",
                payload_on=ON,
                payload_off=OFF,
                **trouble,
            ),
            self._entity(camera, "image", "image", "Last alert", **pictures),
        ]

    def possible(self, camera: Told) -> set[str]:
        """Return the topics that may be retained of a camera, whatever it asked for before."""
        asking = replace(camera, equipment=EQUIPMENT)
        return {one.topic for one in self.discoveries(asking)} | {self.camera(camera.id, one) for one in EQUIPMENT}

    def _entity(self, camera: Told, kind: str, what: str, name: str, **of_it: str) -> Publication:
        node = f"{re.sub('/', '_', self.prefix)}_{camera.id}"
        config = {
            "name": name,
            "unique_id": f"{node}_{what}",
            "availability_topic": self.available,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "qos": 1,
            **of_it,
            "device": {"identifiers": [node], "name": camera.name, "manufacturer": "PPE Monitor"},
            "origin": {"name": "PPE Monitor"},
        }
        if kind == "image":
            del config["qos"]  # an image has none
        return Publication(f"{self.discovery}/{kind}/{node}/{what}/config", _text(config))


def _after(body: dict[str, Any]) -> dict[str, Any]:
    """Return an alert with the names that Frigate's users know; the message's own stand beside them."""
    alert = body["data"]
    ended = body["type"] == "alert.resolved"
    return {
        "id": alert["alert"],
        "camera": alert["camera"]["id"],
        "label": "person",
        "sub_label": f"no-{alert['equipment']}",
        "start_time": _seconds(alert["since"]),
        "end_time": _seconds(body["timestamp"]) if ended else None,
        "current_zones": [] if ended else [alert["zone"]["id"]],
        "entered_zones": [alert["zone"]["id"]],
        "box": [alert["box"][side] for side in ("x1", "y1", "x2", "y2")],
        "has_snapshot": True,
        "active": not ended,
        "equipment": alert["equipment"],
        "severity": alert["severity"],
        "ending": alert.get("ending"),
        "summary": alert["summary"],
        "evidence": alert["evidence"],
    }


def _before(body: dict[str, Any]) -> dict[str, Any]:
    """Return the alert as it was told before: open, or, when it goes on, out of sight."""
    after = _after(body)
    if body["type"] == "alert.updated":
        return {**after, "active": False, "ending": "lost_sight", "current_zones": []}
    return {**after, "end_time": None, "active": True, "ending": None, "current_zones": after["entered_zones"]}


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()


def _text(what: dict[str, Any]) -> str:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":"))
