"""A connection, as far as an answer that goes on and on has to know it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """A client's connection.

    Attributes:
        cut: ends it at once, with what was not taken; without a server that can, nothing.
        stirred: an event for the answer to wait on; it is set when the server stops, and by whom the answer asks to.
        ends: the server stops: the answer is to end by itself.
    """

    cut: Callable[[], None] = lambda: None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    ends: bool = False

    def end(self) -> None:
        """Say that the server stops."""
        self.ends = True
        self.stirred.set()
