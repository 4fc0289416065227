"""Connections that end in time and go only where they may: the network under a webhook.

    DeadlinePassed   the attempt's time is over, whatever it was waiting for
    Refused          the receiver's address is one that nothing is sent to

A time-out per read is no limit: a receiver that drips a byte every two seconds never meets it. So every operation of an
attempt (resolve, connect, handshake, each write and read) gets what is left of the whole.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any

import httpcore

from service.addresses import resolve

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> IP addresses. Raises OSError when there are none."""


class DeadlinePassed(httpcore.TimeoutException):
    """The attempt's time is over."""


class Refused(Exception):  # noqa: N818 - it reads as what happened
    """Nothing is sent to this address."""


class Network(httpcore.NetworkBackend):
    """The network of one sender. One attempt at a time: `begin` starts its clock.

    Args:
        refusal: says why an address is not connected to, or "".
        resolve: looks a host up. What it returns is judged and then connected to, with no second look-up between.
    """

    def __init__(self, refusal: Callable[[str], str], resolve: Resolve = resolve) -> None:
        self._refusal = refusal
        self._resolve = resolve
        self._ends = 0.0

    def begin(self, seconds: float) -> None:
        """Give the attempt that begins now so many seconds."""
        self._ends = time.monotonic() + seconds

    def hurry(self, seconds: float) -> None:
        """Leave the attempt at most so many seconds more."""
        self._ends = min(self._ends, time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            DeadlinePassed: none are.
        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise DeadlinePassed
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - what is left of the attempt decides
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers; all of them must be allowed."""
        addresses = self._look_up(host, port)
        for address in addresses:
            if reason := self._refusal(address):
                raise Refused(reason)
        failure: OSError | None = None
        for address in addresses:
            try:
                connection = socket.create_connection((address, port), self.left())
            except OSError as error:
                failure = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(connection, self)
        self.left()  # a connect that timed out took all that was left
        reason = failure.strerror if failure and failure.strerror else "no answer"
        raise httpcore.ConnectError(f"can't connect: {reason.lower()}")

    def _look_up(self, host: str, port: int) -> list[str]:
        """Resolve in a thread of its own: the system's resolver knows no deadline."""
        answer: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            found = answer.get(timeout=self.left())
        except Empty:
            raise DeadlinePassed from None
        if isinstance(found, Exception) or not found:
            raise httpcore.ConnectError("host not found")
        return found


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends with the attempt."""

    def __init__(self, connection: socket.socket, network: Network) -> None:
        self._connection = connection
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._connection.settimeout(self._network.left())
        try:
            return self._connection.recv(max_bytes)
        except TimeoutError:
            raise DeadlinePassed from None
        except OSError as error:
            raise httpcore.ReadError(error.strerror or "") from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        rest = memoryview(buffer)
        while rest:
            self._connection.settimeout(self._network.left())
            try:
                rest = rest[self._connection.send(rest) :]
            except TimeoutError:
                raise DeadlinePassed from None
            except OSError as error:
                raise httpcore.WriteError(error.strerror or "") from error

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._connection.settimeout(self._network.left())
            safe = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise DeadlinePassed from None
            raise
        return _Stream(safe, self._network)

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable":
            return None
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(0))
