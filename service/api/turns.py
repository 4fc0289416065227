"""Requests for detections take turns: so many in work, so many waiting, and who comes then is told to come again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

import anyio
from fastapi import Request

from service.api.problems import Problem

RETRY_AFTER: Final = 2
"""Seconds after which a request that found no place may be tried again."""


class Turns:
    """Lets a few in at once, in the order in which they came.

    Args:
        at_once: requests in work.
        queue: requests that wait for one of those to end; their bodies wait in the network.
    """

    def __init__(self, at_once: int, queue: int) -> None:
        self._places = anyio.CapacityLimiter(at_once)
        self._queue = queue
        self._waiting = 0

    @property
    def working(self) -> int:
        """Requests in work."""
        return self._places.borrowed_tokens

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it.

        Raises:
            Problem: BUSY, when too many wait already.
        """
        place = object()
        if self._places.available_tokens < 1 and self._waiting >= self._queue:
            raise Problem(
                "BUSY",
                f"{self._waiting} requests wait already: send this one again after Retry-After.",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        self._waiting += 1
        try:
            await self._places.acquire_on_behalf_of(place)
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release_on_behalf_of(place)


async def take_turn(request: Request) -> AsyncIterator[None]:
    """Have a turn of the application's while a route works, as its dependency.

    Who is not known before the body was read has one of few others: strangers hold up nobody.

    Raises:
        Problem: BUSY.
    """
    known = hasattr(request.state, "caller")
    async with cast(Turns, request.app.state.turns if known else request.app.state.turns_of_strangers).turn():
        yield
