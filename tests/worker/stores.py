"""Stores that tell how they were called, or do not always work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from service.ports import Message, Still, StoreUnavailable
from service.safety.alerts import Alert, AlertChange
from service.store.fake import FakeStore


@dataclass
class Call:
    changes: list[str]
    stills: list[str]
    messages: list[str]


@dataclass
class Noting(FakeStore):
    """Notes every call of `record` and `touch`. Refuses the calls of `record` whose numbers are in `broken`."""

    broken: range = range(0)
    calls: list[Call] = field(default_factory=list)
    touched: list[list[Alert]] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        super().__init__(["control-room"])

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
        if len(self.calls) + self.refused in self.broken:
            self.refused += 1
            raise StoreUnavailable("no space is left on its disk")
        super().record(changes, stills, messages, clips)
        self.calls.append(
            Call([one.kind for one in changes], [one.kind for one in stills], [one.type for one in messages])
        )

    def touch(self, alerts: Sequence[Alert]) -> None:
        self.touched.append(list(alerts))
        super().touch(alerts)

    def told(self) -> list[str]:
        return [message.type for message in self.messages]
