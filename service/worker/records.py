"""What happened and is not in the store yet: in order, each until it was committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from service.ports import EventStore, Message, Still, StoreUnavailable
from service.safety.alerts import AlertChange

MOST: Final = 500
"""Records that wait in memory while the store can't take them; then the oldest is given up."""

log = structlog.get_logger("watch")


@dataclass(frozen=True, slots=True)
class _Record:
    """One call of the store."""

    changes: tuple[AlertChange, ...]
    stills: tuple[Still, ...]
    messages: tuple[Message, ...]


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
        self, changes: Sequence[AlertChange] = (), stills: Sequence[Still] = (), messages: Sequence[Message] = ()
    ) -> None:
        """Record this, after all that waits."""
        self._waiting.append(_Record(tuple(changes), tuple(stills), tuple(messages)))
        self.save()
        while len(self._waiting) > MOST:
            lost = self._waiting.popleft()
            log.error("record.lost", camera=self._camera, messages=[message.id for message in lost.messages])

    def save(self) -> None:
        """Record what waits; a store that can't now is asked again at the next call. Logged once an outage."""
        while self._waiting:
            oldest = self._waiting[0]
            try:
                self._store.record(oldest.changes, oldest.stills, oldest.messages)
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
