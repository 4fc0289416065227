"""What a message says, as far as people are told of it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from service.ports import OFFLINE, Group, Message
from service.safety.site import Severity

What = Literal["fired", "resolved", "begins", "over"]
_ALERTS: Final[dict[str, What]] = {"alert.fired": "fired", "alert.resolved": "resolved"}
_SIGHTS: Final = frozenset({"frozen", "blind", "moved", "cannot_judge"})


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people are to be told.

    Attributes:
        id: the message's.
        group: what is told together with it.
        at_ms, since_ms: when it happened, and since when it had been so (Unix ms).
        alert: the alert's id; "" of a camera's own troubles.
        camera, zone: names for people; `zone` is "" of a camera's own troubles.
        detail: more of a camera's trouble: a code, or the equipment that it can't judge.
    """

    id: str
    what: What
    group: Group
    at_ms: int
    since_ms: int
    camera: str
    zone: str = ""
    alert: str = ""
    severity: Severity | None = None
    detail: str = ""

    @property
    def high(self) -> bool:
        """Whether it is told in quiet hours as well."""
        return self.severity == "high"


def notice_of(message: Message) -> Notice | None:
    """Read a message; None when people are told nothing of it: it is of another type, or was erased."""
    try:
        payload = json.loads(message.payload)
        data: dict[str, Any] = payload["data"]
        if message.type in _ALERTS:
            return _of_alert(message, data)
        return _of_camera(message, data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _of_alert(message: Message, data: dict[str, Any]) -> Notice:
    return Notice(
        id=message.id,
        what=_ALERTS[message.type],
        group=(message.camera, data["zone"]["id"], data["equipment"]),
        at_ms=message.created_ms,
        since_ms=_unix_ms(data["since"]),
        camera=data["camera"]["name"],
        zone=data["zone"]["name"],
        alert=data["alert"],
        severity=data["severity"],
    )


def _of_camera(message: Message, data: dict[str, Any]) -> Notice | None:
    kind = message.type.partition(".")[2]
    name, detail = kind, ""
    if kind in {"offline", "online"}:
        name, begins, detail = OFFLINE, kind == "offline", data.get("code") or ""
    elif kind in _SIGHTS:
        begins = data["begins"]
        if kind == "cannot_judge":
            name, detail = f"{kind}:{data['reason']}:{data['equipment']}", data["equipment"]
    else:
        return None
    return Notice(
        id=message.id,
        what="begins" if begins else "over",
        group=(message.camera, "", name),
        at_ms=message.created_ms,
        since_ms=_unix_ms(data["since"]) if begins and "since" in data else message.created_ms,
        camera=data["camera"]["name"],
        detail=detail,
    )


def _unix_ms(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
