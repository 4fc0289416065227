"""A bell that camera threads ring and event loops hear: something was recorded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Bell:
    """Wakes whoever listens. `ring` may be called from any thread, and waits for nobody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def ring(self) -> None:
        """Set every listener's event."""
        with self._lock:
            listeners = tuple(self._listeners)
        for loop, event in listeners:
            with suppress(RuntimeError):  # its loop was closed a moment ago
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def heard(self, event: asyncio.Event) -> Iterator[None]:
        """Have `event`, of the running loop, set at every ring, while the context lasts."""
        listener = (asyncio.get_running_loop(), event)
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)
