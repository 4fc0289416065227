"""A receiver to try webhooks with: a small HTTP server that verifies, tells what arrived and knows repetitions by id.

It is what a receiver of your own has to do, in short: verify the raw body, answer fast, remember ids.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from standardwebhooks import WebhookVerificationError

from service.delivery.signing import signer

MOST_BODY: Final = 1 << 20
MOST_IDS: Final = 10_000
READ_TIMEOUT: Final = 10.0
"""Seconds to wait for a sender's next byte."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came in.

    Attributes:
        status: what it was answered with.
        id: its webhook-id, "" if it had none.
        event: the verified body; None when it was not verified.
        duplicate: an event with this id was taken before.
        why: why it was not taken.
    """

    status: int
    id: str = ""
    event: dict[str, Any] | None = field(default=None, hash=False)
    duplicate: bool = False
    why: str = ""


class Receiver:
    """Listens on 127.0.0.1 and hands every arrival to `tell`, one at a time.

    Args:
        fail: answers so many verified requests with 500 first, to watch them come again.

    Raises:
        ValueError: the secret is unusable.
        OSError: the port is taken.
    """

    def __init__(self, secret: str, port: int, tell: Callable[[Arrival], None], *, fail: int = 0) -> None:
        self._signer = signer(secret)
        self._tell = tell
        self._fail = fail
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def run(self) -> None:
        """Receive until `stop`."""
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """End `run`. Not from the thread that runs it."""
        self._server.shutdown()

    def close(self) -> None:
        """Give the port back, once the request in work is answered. After `run` has ended."""
        self._server.server_close()
        with self._lock:
            pass

    def take(self, body: bytes, headers: dict[str, str], answer: Callable[[Arrival], None]) -> None:
        """Verify one request, tell of it and answer it."""
        self._settle(lambda: self._judge(body, {name.lower(): value for name, value in headers.items()}), answer)

    def refuse(self, arrival: Arrival, answer: Callable[[Arrival], None]) -> None:
        """Tell of a request that was not even read, and answer it."""
        self._settle(lambda: arrival, answer)

    def _settle(self, judge: Callable[[], Arrival], answer: Callable[[Arrival], None]) -> None:
        with self._lock:
            arrival = judge()
            self._tell(arrival)
            answer(arrival)

    def _judge(self, body: bytes, headers: dict[str, str]) -> Arrival:
        id_ = headers.get("webhook-id", "")
        try:
            event = self._signer.verify(body, headers)
        except WebhookVerificationError as error:
            return Arrival(401, id_, why=str(error).lower())
        except (ValueError, RecursionError):  # the library lets these through: no base64, no UTF-8, no JSON
            return Arrival(401, id_, why="malformed signature or body")
        if not isinstance(event, dict):
            return Arrival(400, id_, why="the body is no JSON object")
        if self._fail > 0:
            self._fail -= 1
            return Arrival(500, id_, event, why="told to fail")
        duplicate = id_ in self._taken
        self._taken[id_] = None
        if len(self._taken) > MOST_IDS:
            self._taken.popitem(last=False)
        return Arrival(200, id_, event, duplicate)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a sender that hangs up is no fault of the receiver."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = READ_TIMEOUT
        disable_nagle_algorithm = True  # or the answer's body waits for the sender's delayed ACK of its head

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            asked, self.close_connection = self.close_connection, True  # until the whole body is read
            if not (length.isascii() and length.isdigit()):
                receiver.refuse(Arrival(411, why="no content-length"), self._answer)
            elif len(length) > 9 or int(length) > MOST_BODY:
                receiver.refuse(Arrival(413, why="the body is too large"), self._answer)
            else:
                body = self.rfile.read(int(length))
                self.close_connection = asked or len(body) < int(length)
                receiver.take(body, dict(self.headers.items()), self._answer)

        def _answer(self, arrival: Arrival) -> None:
            body = json.dumps({"status": arrival.status, "why": arrival.why}).encode() + b"\n"
            self.send_response(arrival.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if self.close_connection:
                self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
            """Stay silent: `tell` tells."""

    return Handler
