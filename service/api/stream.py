"""Events as they happen, as server-sent events: each listener reads the store's messages from its own place on.

Nothing waits in memory for a listener: what it has not taken yet is in the store, and it reads a page when it has taken
the one before. So a slow one holds up nobody, and one that comes back goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import anyio
import anyio.to_thread
import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.bell import Bell
from service.api.gate import still_in
from service.api.line import Line
from service.api.problems import Problem
from service.metrics import Metrics
from service.news import NewsRecords, Told
from service.ports import StoreUnavailable

PAGE: Final = 100
"""Messages that are read at once."""
MOST_MISSED: Final = 1000
"""Messages that a listener who comes back is sent; who has missed more goes on from now, and is told so."""
PATIENCE: Final = 30.0
"""Seconds that a client may take for what it is sent; then it is cut off."""
READERS: Final = 2
"""Threads that read the store for all listeners."""
_LAST: Final = 1.0
"""Seconds for the end of an answer, once it is over."""

log = structlog.stdlib.get_logger("service.api")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a listener wants to hear; None is everything.

    Attributes:
        cameras: their ids.
        types: types of events.
    """

    cameras: Collection[str] | None = None
    types: Collection[str] | None = None

    def want(self, told: Told) -> bool:
        """Tell whether they want to hear this."""
        return (self.cameras is None or told.camera in self.cameras) and (self.types is None or told.type in self.types)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a listener begins.

    Attributes:
        number: of the message that it has, 0 for none.
        id: of that message, "" for none.
        missed: the id after which it has missed too much, or nobody knows how much; "" when it has missed nothing.
    """

    number: int
    id: str
    missed: str = ""


class Listeners:
    """Who listens.

    Args:
        most: listeners at once.
        heartbeat: seconds between two signs of life.
        patience: seconds that a client may take for what it is sent.
    """

    def __init__(self, most: int, *, heartbeat: float = 15.0, patience: float = PATIENCE) -> None:
        self.count = 0
        self.heartbeat = heartbeat
        self.patience = patience
        self.readers = anyio.CapacityLimiter(READERS)
        self._most = most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be one of them, while the context lasts.

        Raises:
            Problem: LISTENERS_FULL.
        """
        if self.count >= self._most:
            raise Problem(
                "LISTENERS_FULL",
                f"{self.count} listen already: try again after Retry-After, or have PPE_EVENT_LISTENERS raised.",
                headers={"Retry-After": str(round(self.heartbeat))},
            )
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    async def start(self, records: NewsRecords, last: str) -> Start:
        """Return where a listener begins that has the message `last`, "" for none.

        Raises:
            StoreUnavailable: the store can't tell.
        """
        return await anyio.to_thread.run_sync(_start, records, last, limiter=self.readers)

    async def read(self, records: NewsRecords, number: int) -> list[Told]:
        """Return the next page; nothing, while the store can't tell."""
        try:
            return await anyio.to_thread.run_sync(records.told_after, number, PAGE, limiter=self.readers)
        except StoreUnavailable as error:
            log.warning("store.unavailable", fault=str(error))
            return []


def _start(records: NewsRecords, last: str) -> Start:
    newest = records.newest_told()
    now = Start(newest.number, newest.id) if newest else Start(0, "")
    if not last:
        return now
    known = records.number_told(last)
    if known is None or now.number - known > MOST_MISSED:
        return Start(now.number, now.id, missed=last)
    return Start(known, last)


class EventStream(StreamingResponse):
    """The answer that goes on until the client leaves, is too slow or may listen no more, or the service stops."""

    media_type = "text/event-stream"

    def __init__(
        self, listeners: Listeners, records: NewsRecords, bell: Bell, wishes: Wishes, start: Start, metrics: Metrics
    ) -> None:
        self._listeners = listeners
        self._records = records
        self._bell = bell
        self._wishes = wishes
        self._start = start
        self._metrics = metrics
        self._line = Line()
        super().__init__(self._events(), headers={"X-Accel-Buffering": "no"})  # or nginx hands on nothing for long

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        self._line = cast(Line, scope["state"].get("line", self._line))
        self._scope = scope
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send each event as long as the client takes it in time; cut off who does not."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self.body_iterator:
            with anyio.move_on_after(self._listeners.patience) as patience:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if patience.cancelled_caught:
                log.warning("listener.too_slow", patience_s=self._listeners.patience)
                self._metrics.dropped_listeners.inc()
                self._line.cut()
                break
        with anyio.move_on_after(_LAST):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _events(self) -> AsyncIterator[bytes]:
        stirred = self._line.stirred
        number, said, passed = self._start.number, self._start.id, ""
        if self._start.missed:
            yield _event("missed", said, json.dumps({"type": "missed", "after": self._start.missed}))
        else:
            yield _event("cursor", said, _CURSOR)
        with self._bell.heard(stirred):
            while self._goes_on():
                stirred.clear()
                page = await self._listeners.read(self._records, number)
                for told in page:
                    number, passed = told.number, told.id
                    if self._wishes.want(told):
                        said = told.id
                        yield _event(told.type, told.id, told.payload)
                if len(page) == PAGE:
                    continue
                with anyio.move_on_after(self._listeners.heartbeat) as quiet:
                    await stirred.wait()
                if quiet.cancelled_caught and passed not in {"", said}:  # so that coming back begins here
                    said = passed
                    yield _event("cursor", said, _CURSOR)
                elif quiet.cancelled_caught:
                    yield b": still here\n\n"

    def _goes_on(self) -> bool:
        """Tell whether there is more to come; whose key was revoked hears nothing more."""
        return not self._line.ends and still_in(self._scope)


_CURSOR: Final = '{"type": "cursor"}'


def _event(kind: str, id: str, body: str) -> bytes:  # noqa: A002 - as the field is called
    """Return an event; its body is one line, since it is JSON."""
    known = f"id: {id}\n" if id else ""
    return f"{known}event: {kind}\ndata: {body}\n\n".encode()
