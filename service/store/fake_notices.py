"""What people are to be told, in memory: the same promises, forgotten when it ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from service.ports import Message, PostMade, Standing
from service.store.fake import FakeStore


class FakeNotices:
    """`ports.Notices` beside a fake store.

    Attributes:
        speaking: whether this process posts.
        shared: whether other processes file notices as well.
    """

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._notices: dict[tuple[str, str], PostMade | bool | None] = {}
        self._posts: list[tuple[str, PostMade]] = []
        self.speaking = True
        self.shared = False

    def file(self, channels: Sequence[str], message: str) -> None:
        """Keep a message as fresh for channels."""
        if any(one.id == message for one in self._store.messages):
            for channel in channels:
                self._notices.setdefault((channel, message), None)

    def speaks(self, channel: str) -> bool:  # noqa: ARG002 - every channel
        """Tell what tests want."""
        return self.speaking

    def fresh(self, channel: str, most: int) -> list[Message]:
        """Return what a channel was not told yet, oldest first; of more than `most`, alerts of high severity first."""
        found = [one for one in self._store.messages if self._notices.get((channel, one.id), False) is None]
        kept = {one.id for one in sorted(found, key=lambda one: '"severity":"high"' not in one.payload)[:most]}
        return [one for one in found if one.id in kept]

    def unsaid(self, channel: str, alerts: Collection[str]) -> frozenset[str]:
        """Return which of these alerts a channel was never told to have fired, because that was let go."""
        gone = [
            one.payload
            for one in self._store.messages
            if one.type == "alert.fired" and self._notices.get((channel, one.id)) is True
        ]
        return frozenset(alert for alert in alerts if any(f'"{alert}"' in payload for payload in gone))

    def told(self, channel: str, since_ms: int, most: int) -> list[Message]:
        """Return what a channel was told of alerts that are open, or fired since then; the newest, oldest first."""
        changes = {change.alert.id: change.alert for change in self._store.changes}
        found = []
        for one in self._store.messages:
            alert = next((name for name in changes if f'"{name}"' in one.payload), None)
            told = isinstance(self._notices.get((channel, one.id)), PostMade) and one.type == "alert.fired"
            if told and alert and (one.created_ms >= since_ms or changes[alert].ended is None):
                found.append(one)
        return found[-most:]

    def posts(self, channel: str, since_ms: int) -> list[PostMade]:
        """Return what was posted since then, oldest first."""
        return [post for to, post in self._posts if to == channel and post.at_ms >= since_ms]

    def standings(self, alerts: Collection[str]) -> dict[str, Standing]:
        """Return how alerts stand, by their ids."""
        found = {}
        for alert in alerts:
            history = self._store.alert(alert)
            if history:
                said = {mark.kind: mark for mark in history.marks}
                found[alert] = Standing(
                    open=history.alert.ended is None,
                    acknowledged="acknowledged" in said,
                    false_alarm="false_alarm" in said,
                    snoozed_until_ms=said["snoozed"].until_ms if "snoozed" in said else None,
                )
        return found

    def settle(self, channel: str, post: PostMade | None, told: Collection[str], let_go: Collection[str] = ()) -> None:
        """Keep that a post told of messages, and that others are told no more."""
        if post is not None:
            self._posts.append((channel, post))
        for ids, mark in ((told, post), (let_go, True)):
            for one in ids:
                if self._notices.get((channel, one), False) is None:
                    self._notices[channel, one] = mark

    def escalate(self, channel: str, post: PostMade, to: Sequence[str], messages: Collection[str]) -> None:
        """Keep that other channels are to be told of messages, and that this was done."""
        for message in messages:
            self.file(to, message)
        self._posts.append((channel, post))
