"""The head of a request comes soon and is small, its answer is read, and connections are not too many, or they end:
below the application, nobody else looks.

It also hands the application its `Line`: uvicorn waits for answers to end before it says that the service stops, so an
answer that goes on and on has to hear it here.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.line import Line

SECONDS: Final = 15.0
"""From the connection, or from the first byte of its next request, until the head is there."""
BYTES: Final = 64 * 1024
READ_SECONDS: Final = 30.0
READ_BYTES: Final = 64 * 1024
"""A client to whom more than a buffer is to be sent takes so many bytes in so many seconds, or it is cut off."""
FIELDS: Final = 128
"""Header fields of a request, those behind a chunked body included: these would else be taken without end."""
CONNECTIONS: Final = min(512, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
"""Connections at once; cameras, the store and evidence need open files as well."""
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PromptHeads(HttpToolsProtocol):
    """uvicorn's protocol, with a time and a size for heads, a speed for readers and a number of connections.

    Attributes:
        seconds: how long a head may take.
        read_seconds: how long `READ_BYTES` of an answer may take.
        most: connections at once.
    """

    seconds = SECONDS
    read_seconds = READ_SECONDS
    most = CONNECTIONS
    _timer: asyncio.TimerHandle | None = None
    _size = 0
    _fields = 0
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head; whoever is one too many is told so."""
        super().connection_made(transport)
        self._line = Line(transport.abort)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
            return
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
        self._fields = 0
        self.scope["state"]["line"] = self._line
        if self._timer is None:
            self._expect(1)  # it came with what was before it, so how much of it is there is not known

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count fields. What is raised here, uvicorn answers with 400, and ends the connection."""
        self._fields += 1
        if self._fields > FIELDS:
            raise ValueError("too many header fields")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait no longer: the head is there. It came in one piece, maybe, so its size was not looked at yet."""
        self._relax()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > BYTES:
            raise ValueError("header fields too large")
        if sum(name == b"host" for name, _ in self.headers) > 1:  # RFC 9112, 3.2: proxies may go by another one
            raise ValueError("more than one Host")
        super().on_headers_complete()

    def shutdown(self) -> None:
        """End the connection once its answer has ended, and tell the answer."""
        self._line.end()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer: nobody is there."""
        self._relax()
        self._read_well()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Watch how fast the rest is read."""
        super().pause_writing()
        self._read_well()
        left = self.transport.get_write_buffer_size()
        self._reading = asyncio.get_running_loop().call_later(self.read_seconds, self._look, left)

    def resume_writing(self) -> None:
        """Watch no longer: what is left fits into a buffer."""
        self._read_well()
        super().resume_writing()

    def _look(self, before: int) -> None:
        """Cut off who reads too slowly: memory and a connection are held for them."""
        left = self.transport.get_write_buffer_size()
        if before - left < READ_BYTES:
            self.transport.abort()
        else:
            self._reading = asyncio.get_running_loop().call_later(self.read_seconds, self._look, left)

    def _read_well(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

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
