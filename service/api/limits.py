"""What holds for every request, whichever route it takes: an id, a largest and a slowest body, one log line, careful
headers, and no traceback out."""

from __future__ import annotations

import re
import time
import uuid
from typing import Final
from urllib.parse import quote

import anyio
import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.headers import careful
from service.api.hosts import Hosts
from service.api.problems import Problem, problem_response
from service.metrics import Metrics
from service.telemetry import ACCESS_LOG

DRAIN: Final = 2**20
"""A refused body is read to its end when no more than this is left, so that the connection can be used again."""
LINGER: Final = 2.0
"""Seconds that the rest of a refused body may take. A large rest is thrown away after the answer: to close at once
would reset the connection, and a client that is still sending would lose the answer."""
SLOWEST: Final = 16 * 1024
"""Bytes of a body that buy it one more second."""
CLIENT_GONE: Final = 499
"""What the log calls the status of a request whose client left before the answer."""
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_PICTURES: Final = frozenset({"/v1/cameras/{camera}/picture", "/v1/pictures"})
"""Routes that a screen asks some times a second: a log of that would say nothing and hide the rest."""
_STREAMS: Final = frozenset({"/v1/events/stream"})
"""Routes whose answers last for as long as their clients like."""

log = structlog.stdlib.get_logger("service.api")
access = structlog.stdlib.get_logger(ACCESS_LOG)


class RequestLimits:
    """ASGI middleware that every request passes through.

    Args:
        app: the application inside.
        max_body_bytes: a larger body ends as BODY_TOO_LARGE, by its Content-Length or while it streams.
        body_seconds: a body that has the service wait longer for it ends as BODY_TIMEOUT; every 16 KiB buy a second.
        hosts: the names under which the service is asked; None takes every name.
        metrics: is told of each request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        metrics: Metrics,
        body_seconds: float = 30.0,
        hosts: Hosts | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._max_body_bytes, self._body_seconds)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            started = time.perf_counter()
            try:
                await self._serve(scope, exchange)
            finally:
                ended = exchange.ended or time.perf_counter()
                self._note(scope, exchange.status, ended - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None)
        if route not in _STREAMS:
            self._metrics.request(route, scope["method"], status, seconds)
        _log_access(scope, route, status, seconds * 1000)

    async def _serve(self, scope: Scope, exchange: _Exchange) -> None:
        try:
            exchange.check_host(self._hosts)
            exchange.check_declared_size()
            exchange.check_address()
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return
        except Exception as error:
            if exchange.begun:
                raise  # only the server can cut an answer short that has begun
            if isinstance(error, Problem):
                await exchange.refuse(error)
                return
            log.exception("request failed")
            await exchange.refuse(Problem("INTERNAL", "The service failed on this request; its log tells more."))


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int, body_seconds: float) -> None:
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        self.request_id = asked if _SANE_ID.fullmatch(asked) else uuid.uuid4().hex
        self.status = CLIENT_GONE
        self.begun = False
        self.ended: float | None = None
        self._scope, self._receive, self._send = scope, receive, send
        self._max = max_body_bytes
        self._patience = body_seconds
        self._waited = 0.0
        self._host = headers.get("host", "")
        self._declared = _size(headers)
        self._read = 0
        chunked = "transfer-encoding" in headers
        self._complete = not chunked and not self._declared
        # Both framings at once is how requests are smuggled past a proxy: answer, but trust nothing that follows.
        self._close = chunked and self._declared is not None

    def check_host(self, hosts: Hosts | None) -> None:
        """Refuse a request that asks under a name that is not this service's."""
        if hosts is not None and not hosts.takes(self._host):
            raise Problem(
                "HOST_REFUSED",
                "A service without API keys is asked as localhost or 127.0.0.1 only. PPE_ALLOWED_HOSTS adds names.",
            )

    def check_declared_size(self) -> None:
        """Refuse a body whose Content-Length already says too much."""
        if self._declared is not None and self._declared > self._max:
            raise self._too_large()

    def check_address(self) -> None:
        """Refuse what no database takes as text, before a route looks for it."""
        if "\0" in self._scope["path"] or b"%00" in self._scope["query_string"]:
            raise Problem("PARAMETER_INVALID", "The address holds a character U+0000 (%00), which no name here does.")

    async def receive(self) -> Message:
        """Receive, and count the body's bytes and the seconds in which it was waited for."""
        message = await (self._receive() if self._complete else self._arriving())
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._read > self._max:
                raise self._too_large()
        return message

    async def _arriving(self) -> Message:
        """Receive a piece of the body, as long as there is patience; time that the service itself takes costs none."""
        started = anyio.current_time()
        try:
            with anyio.fail_after(max(self._patience + self._read / SLOWEST - self._waited, 0.0)):
                return await self._receive()
        except TimeoutError:
            self._close = True
            raise Problem(
                "BODY_TIMEOUT", f"The body did not come within {self._patience:g} seconds: send it faster, or smaller."
            ) from None
        finally:
            self._waited += anyio.current_time() - started

    async def send(self, message: Message) -> None:
        """Send, with the headers that every response has."""
        if message["type"] == "http.response.start":
            await self._drain()
            self.status, self.begun = message["status"], True
            headers = [*message.get("headers", []), (b"x-request-id", self.request_id.encode())]
            headers += careful(self._scope["path"], {name.lower() for name, _ in headers})
            if self._close or not self._complete:
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        elif not message.get("more_body", False):
            self.ended = time.perf_counter()
            if not self._complete:
                await self._send({**message, "more_body": True})
                await self._read_past(self._max)
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem."""
        await problem_response(problem, self.request_id)(self._scope, self._receive, self.send)

    async def _drain(self) -> None:
        """Read a small rest before the answer, which then need not close the connection."""
        small = self._declared is None or self._declared <= self._read + DRAIN
        if not self._complete and not self._close and small:
            await self._read_past(DRAIN)

    async def _read_past(self, most: int) -> None:
        """Throw the body away until it ends, the client leaves, `most` more bytes were read, or time is up."""
        limit = self._read + most
        with anyio.move_on_after(LINGER):
            while not self._complete and self._read <= limit:
                message = await self._receive()
                if message["type"] != "http.request":
                    return
                self._read += len(message.get("body", b""))
                self._complete = not message.get("more_body", False)

    def _too_large(self) -> Problem:
        self._close = True
        return Problem("BODY_TOO_LARGE", f"A request may have {self._max} bytes: send fewer or smaller pictures.")


def _size(headers: Headers) -> int | None:
    declared = headers.get("content-length", "")
    if not (declared.isascii() and declared.isdigit()):
        return None
    return int(declared[:20])  # int() refuses thousands of digits; twenty are too large already


def _log_access(scope: Scope, route: str | None, status: int, milliseconds: float) -> None:
    # The raw path is percent-encoded, so that no request can write a line of its own into the log.
    raw = scope.get("raw_path")
    path = raw.decode("ascii", "replace") if raw else quote(scope["path"])
    usual = path in _PROBES or (route in _PICTURES and status < 400)
    write = access.debug if usual else access.info
    caller = scope.get("state", {}).get("caller")  # where a key was needed and came
    more = {"key": caller.key} if caller is not None and caller.key else {}
    if route is not None:
        more["route"] = route
    write("request", method=scope["method"], path=path[:200], status=status, ms=round(milliseconds, 1), **more)
