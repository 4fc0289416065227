"""What leaves the machine: messages, who is told, and the doors that they go through. `ports` hands these on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from service.safety.equipment import Equipment
from service.safety.site import Severity

OFFLINE: Final = "offline"
"""The condition of a camera that gives no pictures; that it can't judge is named by `CannotJudge.condition`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that lasts on a camera and is told twice: when it begins and when it is over.

    Attributes:
        name: what lasts; the same at both times.
        holds: it begins.
    """

    name: str
    holds: bool


EventType = Literal[
    "alert.fired",
    "alert.updated",
    "alert.resolved",
    "camera.offline",
    "camera.online",
    "camera.cannot_judge",
    "camera.frozen",
    "camera.blind",
    "camera.moved",
]
"""The types of messages: a closed list."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about, as endpoints filter it; None where it is about nothing of the kind.

    Attributes:
        zone: the alert's zone.
        equipment: what is missing, or can't be judged.
        severity: the alert's.
        began_ms: when what it tells of began (Unix ms): the same in all messages of one alert. None: it tells that
            something is over.
    """

    zone: str | None = None
    equipment: Equipment | None = None
    severity: Severity | None = None
    began_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something that leaves the machine: written with what it tells of, delivered at least once, known by its id.

    Attributes:
        id: the receiver's idempotency key; the same for the same event in every try.
        type: the event's type, such as alert.fired.
        camera: messages of one camera are delivered in order.
        payload: the JSON body as it is signed and sent.
        condition: what it tells to begin or to be over, if that is what it tells; known until the message is kept.
        subject: what it is about; known until the message is kept.
    """

    id: str
    type: str
    camera: str
    created_ms: int
    payload: str
    condition: Condition | None = None
    subject: Subject = Subject()


def everything(message: Message) -> bool:  # noqa: ARG001 - every message
    """Want every message."""
    return True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who is told.

    Attributes:
        name: as the site file calls it.
        address: a digest of where it is: tells a new address from the old one, and holds none. "": not known.
        wants: which messages it is sent.
    """

    name: str
    address: str = ""
    wants: Callable[[Message], bool] = everything


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one endpoint."""

    message: Message
    endpoint: str
    attempts: int


class Outbox(Protocol):
    """Messages that wait for their receivers."""

    def due(self, now_ms: int, most: int = 100) -> list[Delivery]:
        """Return deliveries whose time has come, oldest first; of an endpoint and camera only the oldest unfinished.

        Replayed ones stand in a line of their own for each camera. Endpoints that are disabled have none.
        One whose last attempt lies after `now_ms` is due as well: the wall clock was set back since, and when it should
        be tried says nothing any more.
        """
        ...

    def delivered(self, delivery: Delivery, at_ms: int) -> None:
        """Mark a delivery as done."""
        ...

    def failed(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None) -> None:
        """Count a failed attempt; try again at `next_ms`, or never (dead) when it is None."""
        ...

    def disable(self, delivery: Delivery, at_ms: int, why: str) -> None:
        """Count a failed attempt after which its endpoint is sent nothing, until it has a new address or is enabled.

        What waits for it waits on, the delivery included.
        """
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt to deliver went.

    Attributes:
        done: the receiver took it.
        why: what went wrong, fit for a log: no secret, no body.
        retry_after: seconds that the receiver asked to wait.
        give_up: this message can never be taken.
        gone: the receiver wants nothing any more (410).
    """

    done: bool
    why: str = ""
    retry_after: float | None = None
    give_up: bool = False
    gone: bool = False


class Sender(Protocol):
    """Takes one message to one receiver."""

    def send(self, message: Message) -> Attempt:
        """Try once, within a total deadline. Never raises for what a receiver or network does."""
        ...


Group = tuple[str, str, str]
"""What people are told of together: (camera, zone, equipment) of alerts, (camera, "", condition) of a camera itself."""
PostKind = Literal["news", "reminder", "digest", "escalation"]


@dataclass(frozen=True, slots=True)
class PostMade:
    """A post that a channel of people was sent, or with `escalation` the moment at which others were told as well."""

    at_ms: int
    kind: PostKind
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands, and what people said of it.

    Attributes:
        snoozed_until_ms: until when nobody need look at it, as was said last (Unix ms).
    """

    open: bool = False
    acknowledged: bool = False
    false_alarm: bool = False
    snoozed_until_ms: int | None = None


class Notices(Protocol):
    """Messages that people are to be told of, a line for each channel, and what they were told. All of it is durable.

    A notice is fresh until a post told of it or it was let go; a channel is one address of people.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes file notices as well, of which nobody here is woken."""
        ...

    def file(self, channels: Sequence[str], message: str) -> None:
        """Keep a message of the outbox, by its id, as fresh for channels; what one has already is left alone."""
        ...

    def speaks(self, channel: str) -> bool:
        """Tell whether this process is the one that posts to a channel, where several share what is kept."""
        ...

    def fresh(self, channel: str, most: int) -> list[Message]:
        """Return what a channel was not told yet, oldest first; of more than `most`, alerts of high severity first."""
        ...

    def unsaid(self, channel: str, alerts: Collection[str]) -> frozenset[str]:
        """Return which of these alerts a channel was never told to have fired, because that was let go."""
        ...

    def told(self, channel: str, since_ms: int, most: int) -> list[Message]:
        """Return what a channel was told of alerts that are open, or fired since then; the newest, oldest first."""
        ...

    def posts(self, channel: str, since_ms: int) -> list[PostMade]:
        """Return what was posted since then, oldest first."""
        ...

    def standings(self, alerts: Collection[str]) -> dict[str, Standing]:
        """Return how alerts stand, by their ids; one that is not kept (any more) is left out."""
        ...

    def settle(self, channel: str, post: PostMade | None, told: Collection[str], let_go: Collection[str] = ()) -> None:
        """Keep in one transaction that a post told of messages, and that others are told no more."""
        ...

    def escalate(self, channel: str, post: PostMade, to: Sequence[str], messages: Collection[str]) -> None:
        """Keep in one transaction that other channels are to be told of messages, and that this was done."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A text for people.

    Attributes:
        pictures: JPEG files by their names.
        urgent: it asks for something to be done.
    """

    title: str
    body: str
    pictures: tuple[tuple[str, bytes], ...] = ()
    urgent: bool = True


class Poster(Protocol):
    """Takes one letter to one address of people."""

    def post(self, letter: Letter) -> Attempt:
        """Try once, within a total deadline. Never raises for what a provider or network does."""
        ...

    def close(self) -> None:
        """End what is on its way; nothing is posted any more. Idempotent."""
        ...
