"""What was told lately, in order, for who follows it; and how much room the store has. Doors, as in `ports`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """A message that was recorded, whoever was sent it.

    Attributes:
        number: counts messages in the order in which they were recorded; some numbers are of none.
        payload: the body as webhooks carry it.
    """

    number: int
    id: str
    type: str
    camera: str
    payload: str


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free for the store on its disk, and bytes of all evidence."""

    free: int
    evidence: int


class NewsRecords(Protocol):
    """Messages in their order. Every method raises `ports.StoreUnavailable` when the store can't."""

    def newest_told(self) -> Told | None:
        """Return the message that was recorded last, or None."""
        ...

    def number_told(self, message: str) -> int | None:
        """Return the number of a message by its id; None: there is no such message, or none any more."""
        ...

    def told_after(self, number: int, most: int) -> list[Told]:
        """Return at most `most` messages with larger numbers, oldest first; erased ones are left out."""
        ...

    def room(self) -> Room:
        """Return how much room there is."""
        ...
