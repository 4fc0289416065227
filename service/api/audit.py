"""What goes into the audit log: who changed what, and who was refused; a flood of refusals becomes a few lines."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import anyio.to_thread
import structlog

from service.api.keyring import Caller
from service.api.problems import Problem
from service.keys import Entry, KeyRecords
from service.ports import Clock, StoreUnavailable

TOGETHER: Final = 600.0
"""Seconds: of refusals of one kind in this time the first has a line of its own, and all others share one."""

log = structlog.stdlib.get_logger("service.api")


@dataclass(slots=True)
class _Flood:
    """Refusals of one kind since the line that was written last."""

    since: float
    newest: Entry
    count: int = 0


class Audit:
    """Writes the audit log. Any thread may call it.

    Args:
        records: where it is kept; None where there is no store, and so nothing to change: it goes to the log lines.
        clock: the present.
    """

    def __init__(self, records: KeyRecords | None, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        self._floods: dict[tuple[str | None, str], _Flood] = {}

    @asynccontextmanager
    async def doing(self, caller: Caller, action: str, object: str) -> AsyncIterator[None]:  # noqa: A002 - as in Entry
        """Write down what is done inside, once it is done or ends with a problem.

        Raises:
            StoreUnavailable: it was done and could not be written down.
        """
        outcome = "INTERNAL"
        try:
            yield
            outcome = "done"
        except Problem as problem:
            outcome = problem.code
            raise
        except StoreUnavailable:
            outcome = ""  # nothing was done, and nothing can be written
            raise
        finally:
            if outcome:
                entry = caller.did(self._clock.now().wall_ms, action, object, outcome)
                await anyio.to_thread.run_sync(self._write, entry)

    def refused(self, caller: Caller, object: str, outcome: str) -> None:  # noqa: A002 - as in Entry
        """Write down that somebody was refused: at once, or with others of their kind. It never raises."""
        entry = caller.did(self._clock.now().wall_ms, "authenticate", object, outcome)
        with self._lock:
            now, kind = self._clock.now().seconds, (caller.key, outcome)
            flood = self._floods.get(kind)
            if flood and now - flood.since < TOGETHER:
                flood.newest, flood.count = entry, flood.count + 1
                return
            self._floods[kind] = _Flood(now, entry)
        if flood and flood.count:
            self._try(replace(flood.newest, times=flood.count))
        self._try(entry)

    def close(self) -> None:
        """Write what was counted and not written yet."""
        with self._lock:
            floods, self._floods = list(self._floods.values()), {}
        for flood in floods:
            if flood.count:
                self._try(replace(flood.newest, times=flood.count))

    def _try(self, entry: Entry) -> None:
        try:
            self._write(entry)
        except StoreUnavailable as error:
            log.warning("audit_not_written", action=entry.action, outcome=entry.outcome, fault=str(error))

    def _write(self, entry: Entry) -> None:
        if self._records is not None:
            self._records.note(entry)
        else:
            log.info("audit", key=entry.key, action=entry.action, object=entry.object, outcome=entry.outcome)
