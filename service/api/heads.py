"""The head of a request comes soon and is small, or the connection ends: below the application, nobody else looks."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS: Final = 15.0
"""From the connection, or from the first byte of its next request, until the head is there."""
BYTES: Final = 64 * 1024
_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PromptHeads(HttpToolsProtocol):
    """uvicorn's protocol, with a time and a size for heads.

    Attributes:
        seconds: how long a head may take.
    """

    seconds = SECONDS
    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._expect(0)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is whole."""
        self._size += len(data)
        super().data_received(data)
        if self._timer is not None and self._size > BYTES:
            self._end(_LARGE)

    def on_message_begin(self) -> None:
        """Wait for the head of the next request."""
        super().on_message_begin()
        if self._timer is None:
            self._expect(1)  # it came with what was before it, so how much of it is there is not known

    def on_headers_complete(self) -> None:
        """Wait no longer: the head is there."""
        self._relax()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer: nobody is there."""
        self._relax()
        super().connection_lost(exc)

    def _expect(self, size: int) -> None:
        self._size = size
        self._timer = asyncio.get_running_loop().call_later(self.seconds, self._end, _LATE)

    def _relax(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, answer: bytes) -> None:
        self._relax()
        if not self.transport.is_closing():
            if self._size:
                self.transport.write(answer)
            self.transport.close()
