"""People are told: the courier's messages are filed for their channels, and the announcers say them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.ports import Attempt, Message, Notices


class PeopleSender:
    """`ports.Sender` that files messages durably, as fresh for the channels of some people.

    Args:
        filed: is called after each message.
    """

    def __init__(self, notices: Notices, channels: Sequence[str], filed: Callable[[], None]) -> None:
        self._notices = notices
        self._channels = tuple(channels)
        self._filed = filed

    def send(self, message: Message) -> Attempt:
        """File it. A store that can't is a failed attempt, by the courier's rule for what a sender raises."""
        self._notices.file(self._channels, message.id)
        self._filed()
        return Attempt(done=True)


def channels_of(name: str, addresses: int) -> list[str]:
    """Return the channels of some people: one for each address, by its place, so that a new address is the same one."""
    return [name if number == 0 else f"{name}/{number + 1}" for number in range(addresses)]
