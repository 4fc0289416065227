"""What became of messages, in memory: the half of the fake store that answers for its outbox."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final, Literal

from service.inquiry import DeliveryState, EndpointReport, Place, Posted, Sent
from service.news import Room, Told
from service.ports import Delivery, Endpoint, Message

_STATES: Final[dict[str, DeliveryState]] = {"pending": "pending", "done": "delivered", "dead": "dead"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the outbox."""

    delivery: Delivery
    state: Literal["pending", "done", "dead"] = "pending"
    next_ms: int = 0
    why: str = ""
    tried_ms: int = 0
    replayed: bool = False


class FakeLetters:
    """`inquiry.MessageRecords` and `news.NewsRecords` on lists. Any thread may call it.

    Attributes:
        messages: what was recorded, in order, each once.
        outbox: every message for every endpoint that wants it, in order.
        disabled: since when (Unix ms) and why endpoints are sent nothing.
    """

    messages: list[Message]
    outbox: list[Waiting]
    disabled: dict[str, tuple[int, str]]
    _endpoints: tuple[Endpoint, ...]
    _place: dict[str, int]

    def _open(self) -> threading.RLock:
        raise NotImplementedError

    def find_messages(self, wanted: Posted, most: int, before: Place | None = None) -> list[Sent]:
        """Return at most `most`, newest first, one for each endpoint; the next page is before the last one's place."""
        with self._open():
            found = [one for one in map(self._sent, self.outbox) if _wants(wanted, one)]
            behind = [one for one in found if before is None or one.place < before]
            return sorted(behind, key=lambda one: one.place, reverse=True)[:most]

    def replay(self, message: str, endpoint: str | None = None) -> list[Sent] | None:
        """Send a message once more under its id, to where it is dead; return how it stands for each endpoint."""
        with self._open():
            which = [
                index
                for index, row in enumerate(self.outbox)
                if row.delivery.message.id == message and endpoint in {None, row.delivery.endpoint}
            ]
            for index in which:
                row = self.outbox[index]
                if row.state == "dead" or (endpoint is not None and row.state == "done"):
                    self.outbox[index] = Waiting(replace(row.delivery, attempts=0), replayed=True)
            return sorted((self._sent(self.outbox[index]) for index in which), key=lambda one: one.endpoint) or None

    def endpoint_reports(self) -> list[EndpointReport]:
        """Return a report for each endpoint, in the order of the site file."""
        with self._open():
            return [self._report(endpoint.name) for endpoint in self._endpoints]

    def enable(self, endpoint: str) -> bool:
        """Send an endpoint what waits for it; return whether it was disabled."""
        with self._open():
            return self.disabled.pop(endpoint, None) is not None

    def newest_told(self) -> Told | None:
        """Return the message that was recorded last, or None."""
        with self._open():
            return self._told_at(len(self.messages) - 1) if self.messages else None

    def number_told(self, message: str) -> int | None:
        """Return the number of a message by its id, or None."""
        with self._open():
            return self._place[message] + 1 if message in self._place else None

    def told_after(self, number: int, most: int) -> list[Told]:
        """Return at most `most` messages with larger numbers, oldest first."""
        with self._open():
            return [self._told_at(place) for place in range(number, min(number + most, len(self.messages)))]

    def room(self) -> Room:
        """Return a room without end, with nothing in it."""
        with self._open():
            return Room(2**40, 0)

    def _told_at(self, place: int) -> Told:
        message = self.messages[place]
        return Told(place + 1, message.id, message.type, message.camera, message.payload)

    def _report(self, name: str) -> EndpointReport:
        rows = [row for row in self.outbox if row.delivery.endpoint == name]
        waiting = [row.delivery.message.created_ms for row in rows if row.state == "pending"]
        dead = sum(row.state == "dead" for row in rows)
        off = self.disabled.get(name)
        return EndpointReport(name, len(waiting), min(waiting, default=None), dead, *(off or (None, "")))

    def _sent(self, row: Waiting) -> Sent:
        message = row.delivery.message
        return Sent(
            number=self._place[message.id] + 1,
            id=message.id,
            type=message.type,
            camera=message.camera,
            created_ms=message.created_ms,
            endpoint=row.delivery.endpoint,
            state=_STATES[row.state],
            attempts=row.delivery.attempts,
            tried_ms=row.tried_ms or None,
            next_ms=row.next_ms if row.state == "pending" and row.next_ms > 0 else None,
            error=row.why,
        )


def _wants(wanted: Posted, one: Sent) -> bool:
    pairs = [
        (wanted.state, one.state),
        (wanted.endpoint, one.endpoint),
        (wanted.camera, one.camera),
        (wanted.type, one.type),
    ]
    begun = wanted.since_ms is None or one.created_ms >= wanted.since_ms
    over = wanted.until_ms is not None and one.created_ms >= wanted.until_ms
    return begun and not over and all(value is None or value == found for value, found in pairs)
