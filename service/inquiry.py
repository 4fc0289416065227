"""What can be asked of a service that watches, and said to it: alerts, compliance, messages. Doors, as in `ports`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from service.news import NewsRecords
from service.ports import EventType
from service.safety.alerts import Alert, Kind
from service.safety.equipment import Equipment
from service.safety.moment import Moment
from service.safety.site import Severity
from service.seen import SeenRecords

MarkKind = Literal["acknowledged", "snoozed", "false_alarm"]
Place = tuple[int, str]
"""Where an alert stands in the list: (when it fired in Unix ms, its id); both descend."""
Grouping = Literal["camera", "zone", "equipment", "hour"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a person said of an alert. It changes nothing of what is watched, told and fired.

    Attributes:
        at_ms: when it was said (Unix ms).
        by: who said it, as they call themselves; "" when they did not say.
        note: a note, or why it is a false alarm.
        until_ms: until when it is snoozed (Unix ms); None of the other kinds.
    """

    kind: MarkKind
    at_ms: int
    by: str = ""
    note: str = ""
    until_ms: int | None = None

    def repeats(self, earlier: Mark | None) -> bool:
        """Tell whether it says what was said already, at whatever time."""
        return earlier is not None and replace(self, at_ms=earlier.at_ms) == earlier


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to an alert."""

    kind: Kind
    at: Moment


@dataclass(frozen=True, slots=True)
class Listed:
    """An alert as it stands, with the newest mark of each kind, and which kinds of stills are on disk."""

    alert: Alert
    marks: tuple[Mark, ...]
    evidence: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.alert.fired.wall_ms, self.alert.id


@dataclass(frozen=True, slots=True)
class History:
    """An alert as it stands, what happened to it and what was said of it, oldest first, and its stills on disk."""

    alert: Alert
    changes: tuple[Change, ...]
    evidence: tuple[str, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; None asks for all.

    Attributes:
        since_ms, until_ms: fired in [since, until), Unix ms.
    """

    camera: str | None = None
    zone: str | None = None
    equipment: Equipment | None = None
    severity: Severity | None = None
    open: bool | None = None
    acknowledged: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Whose person-seconds are asked for: of hours (UTC) that start in [from, to), Unix ms; None asks for all."""

    from_ms: int
    to_ms: int
    camera: str | None = None
    zone: str | None = None
    equipment: Equipment | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Person-seconds by state of one group; what it is not grouped by is None.

    Attributes:
        zone: empty for what was counted before zones were told apart.
    """

    camera: str | None
    zone: str | None
    equipment: Equipment | None
    hour_ms: int | None
    worn: float = 0.0
    missing: float = 0.0
    unknown: float = 0.0


class AlertRecords(Protocol):
    """What is kept of alerts. Every method raises `ports.StoreUnavailable` when the store can't."""

    def find(self, wanted: Wanted, most: int, before: Place | None = None) -> list[Listed]:
        """Return at most `most` alerts, newest first; the next page is before the last one's place."""
        ...

    def alert(self, alert: str) -> History | None:
        """Return an alert by its id with what happened to it, or None."""
        ...

    def picture(self, alert: str, kind: str) -> bytes | None:
        """Return a still of an alert as JPEG, or its clip as MP4; None when there is none, or none any more."""
        ...

    def why_gone(self, alert: str, kind: str) -> str | None:
        """Return why a still or clip of an alert is not there, in one word: removed, never written, or `pending` yet.

        None when it is there, or never was to be.
        """
        ...

    def mark(self, alert: str, mark: Mark) -> History | None:
        """Keep what was said of an alert, in one transaction, and return the alert; None when there is no such alert.

        What only repeats the newest mark of its kind is not kept again.
        """
        ...

    def compliance(self, span: Span, by: Collection[Grouping]) -> list[Share]:
        """Return person-seconds in groups, ordered by camera, zone, equipment and hour."""
        ...


DeliveryState = Literal["pending", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way to one endpoint, or at its end.

    Attributes:
        number: counts messages in the order in which they were recorded.
        attempts: tries so far; 0 again once it was replayed.
        tried_ms: when it was tried last (Unix ms); None: never, or not since it was replayed.
        next_ms: when it is tried next, at the earliest (Unix ms); None: at once when its turn comes, or never.
        error: why the last try failed, or why it is sent no more; "" when neither.
    """

    number: int
    id: str
    type: str
    camera: str
    created_ms: int
    endpoint: str
    state: DeliveryState
    attempts: int
    tried_ms: int | None
    next_ms: int | None
    error: str

    @property
    def place(self) -> Place:
        """Where it stands in the list: its number and endpoint; both descend."""
        return self.number, self.endpoint


@dataclass(frozen=True, slots=True)
class Posted:
    """Which messages are asked for; None asks for all.

    Attributes:
        since_ms, until_ms: of what happened in [since, until), Unix ms.
    """

    state: DeliveryState | None = None
    endpoint: str | None = None
    camera: str | None = None
    type: EventType | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """How an endpoint of the site file does.

    Attributes:
        pending: messages that wait for it.
        oldest_ms: when the oldest of them happened (Unix ms); None when none waits.
        dead: messages that were given up.
        disabled_ms: since when it is sent nothing (Unix ms); None: it is sent what waits.
        why: why it is disabled.
    """

    name: str
    pending: int
    oldest_ms: int | None
    dead: int
    disabled_ms: int | None
    why: str


class MessageRecords(Protocol):
    """What became of messages. Every method raises `ports.StoreUnavailable` when the store can't."""

    def find_messages(self, wanted: Posted, most: int, before: Place | None = None) -> list[Sent]:
        """Return at most `most`, newest first, one for each endpoint; the next page is before the last one's place."""
        ...

    def replay(self, message: str, endpoint: str | None = None) -> list[Sent] | None:
        """Send a message once more under its id, to where it is dead; return how it stands for each endpoint.

        A message whose alert was erased stays as it is, and so does what is on its way.

        Args:
            endpoint: only to this one, and also where it was delivered.

        Returns:
            None: there is no such message, or it was not for that endpoint.
        """
        ...

    def endpoint_reports(self) -> list[EndpointReport]:
        """Return a report for each endpoint, in the order of the site file."""
        ...

    def enable(self, endpoint: str) -> bool:
        """Send an endpoint what waits for it; return whether it was disabled."""
        ...


class Records(AlertRecords, MessageRecords, NewsRecords, SeenRecords, Protocol):
    """What is kept of alerts, of their messages and of what cameras saw, and room for it."""
