"""What happened and is not in the store yet: in order, each until it was committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from service.ports import EventStore, Message, Still, StoreUnavailable
from service.safety.alerts import AlertChange

MOST: Final = 500
"""Records that wait in memory while the store can't take them; then the oldest is given up."""
MOST_BYTES: Final = 32 * 2**20
"""Bytes of pictures and messages that wait; then the oldest pictures are given up, and records after all pictures."""

log = structlog.get_logger("watch")


@dataclass(frozen=True, slots=True)
class _Record:
    """One call of the store."""

    changes: tuple[AlertChange, ...]
    stills: tuple[Still, ...]
    messages: tuple[Message, ...]
    clips: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, about."""
        return sum(len(still.jpeg) for still in self.stills) + sum(len(one.payload) for one in self.messages)

    def named(self) -> dict[str, list[str]]:
        """Return what it tells of, for a log line."""
        alerts = [f"{change.alert.id} {change.kind}" for change in self.changes]
        return {"alerts": alerts, "messages": [message.id for message in self.messages]}


class Records:
    """Hands what happened on one camera to the store, oldest first.

    Args:
        committed: is called after each record that the store took.
    """

    def __init__(self, store: EventStore, camera: str, committed: Callable[[], None]) -> None:
        self._store = store
        self._camera = camera
        self._committed = committed
        self._waiting: deque[_Record] = deque()
        self._failing = False

    def keep(
        self,
        changes: Sequence[AlertChange] = (),
        stills: Sequence[Still] = (),
        messages: Sequence[Message] = (),
        clips: Collection[str] = (),
    ) -> None:
        """Record this, after all that waits."""
        self._waiting.append(_Record(tuple(changes), tuple(stills), tuple(messages), tuple(clips)))
        self.save()
        self._bound()

    def save(self) -> None:
        """Record what waits; a store that can't now is asked again at the next call. Logged once an outage."""
        while self._waiting:
            oldest = self._waiting[0]
            try:
                self._store.record(oldest.changes, oldest.stills, oldest.messages, oldest.clips)
            except StoreUnavailable as error:
                if not self._failing:
                    log.error("store.unavailable", camera=self._camera, fault=str(error))
                self._failing = True
                return
            self._waiting.popleft()
            self._committed()
        if self._failing:
            log.info("store.works_again", camera=self._camera)
        self._failing = False

    def close(self) -> None:
        """Record what waits, for the last time; what the store does not take is named in the log."""
        try:
            self.save()
        finally:
            while self._waiting:
                self._give_up_oldest()

    def _bound(self) -> None:
        """Give up what is too much: pictures before records, the oldest first, each with a log line."""
        size = sum(record.size for record in self._waiting)
        for index, record in enumerate(tuple(self._waiting)):
            if size <= MOST_BYTES:
                break
            if any(still.jpeg for still in record.stills):
                log.error("stills.lost", camera=self._camera, **record.named())
                # empty ones: the store keeps a note of what is not there
                empty = tuple(replace(still, jpeg=b"") for still in record.stills)
                self._waiting[index] = replace(record, stills=empty)
                size -= record.size - self._waiting[index].size
        while len(self._waiting) > MOST or size > MOST_BYTES:
            size -= self._waiting[0].size
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        log.error("record.lost", camera=self._camera, **self._waiting.popleft().named())
