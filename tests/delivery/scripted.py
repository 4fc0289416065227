"""A receiver that does on the wire exactly what a test says, an outbox in a list and a clock that tests move."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from service.ports import Delivery, Message
from service.safety.moment import Moment

SECRET = "whsec_" + "c2VjcmV0LWNhbmFyeS1zZWNyZXQtY2FuYXJ5LTMy"
OTHER = "whsec_" + "YW5vdGhlci1jYW5hcnktYW5vdGhlci1jYW5hcnkt"


def message(number: int = 1, camera: str = "north", payload: str = '{"type":"alert.fired"}') -> Message:
    return Message(f"msg_{camera}_{number}", "alert.fired", camera, number, payload)


class HeldClock:
    """Stands still until it is moved."""

    def __init__(self, wall_ms: int = 1_772_456_587_000) -> None:
        self.at = Moment(100.0, wall_ms)

    def now(self) -> Moment:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at = Moment(self.at.seconds + seconds, self.at.wall_ms + round(1000 * seconds))


class RealClock:
    def now(self) -> Moment:
        return Moment(time.monotonic(), time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class Row:
    message: Message
    endpoint: str
    due_ms: int = 0
    attempts: int = 0
    state: str = "waiting"
    whys: list[str] = field(default_factory=list)


class ListOutbox:
    """An outbox as the port promises it, in a list."""

    def __init__(self, endpoints: Sequence[str] = ("hook",)) -> None:
        self.endpoints = endpoints
        self.rows: list[Row] = []
        self.lock = threading.Lock()
        self.broken = 0
        self.disabled: set[str] = set()

    def put(self, *messages: Message) -> None:
        with self.lock:
            self.rows += [Row(message, endpoint) for message in messages for endpoint in self.endpoints]

    def due(self, now_ms: int, most: int = 100) -> list[Delivery]:
        self._fault()
        with self.lock:
            heads: dict[tuple[str, str], Row] = {}
            for row in self.rows:
                if row.state == "waiting" and row.endpoint not in self.disabled:
                    heads.setdefault((row.endpoint, row.message.camera), row)
            ready = [row for row in heads.values() if row.due_ms <= now_ms]
            return [Delivery(row.message, row.endpoint, row.attempts) for row in ready[:most]]

    def delivered(self, delivery: Delivery, at_ms: int) -> None:
        self._fault()
        self._row(delivery).state = "delivered"

    def failed(self, delivery: Delivery, at_ms: int, why: str, next_ms: int | None) -> None:
        self._fault()
        row = self._row(delivery)
        row.attempts += 1
        row.whys.append(why)
        if next_ms is None:
            row.state = "dead"
        else:
            row.due_ms = next_ms

    def disable(self, delivery: Delivery, at_ms: int, why: str) -> None:
        self.failed(delivery, at_ms, why, at_ms)
        with self.lock:
            self.disabled.add(delivery.endpoint)

    def states(self) -> list[str]:
        return [row.state for row in self.rows]

    def next_due(self) -> int:
        return min(row.due_ms for row in self.rows if row.state == "waiting" and row.due_ms)

    def _row(self, delivery: Delivery) -> Row:
        with self.lock:
            return next(r for r in self.rows if r.message.id == delivery.message.id and r.endpoint == delivery.endpoint)

    def _fault(self) -> None:
        if self.broken > 0:
            self.broken -= 1
            raise OSError("disk full")


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


Answer = Callable[[Request], Iterable[bytes]]
"""What is written after a request; the connection is closed when it ends with b"" or the answer says so."""


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {code} Scripted", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


def always(*parts: bytes) -> Answer:
    return lambda _: parts


def one_after_another(*answers: Answer) -> Answer:
    """Answer the first request with the first, and so on; the last one for the rest."""
    left = list(answers)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)  # noqa: PLW0108 - pops at each call


class ScriptedReceiver:
    """Listens on loopback; keeps every request; answers as told, byte by byte."""

    def __init__(
        self, answer: Answer, port: int = 0, wrap: Callable[[socket.socket], socket.socket] | None = None
    ) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def close(self) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def drip(self, text: bytes, pause: float = 0.05) -> Iterator[bytes]:
        for letter in text:
            yield bytes([letter])
            if self.stopped.wait(pause):
                return

    def endless(self, piece: bytes = b"x" * 65536) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while not self.stopped.is_set():
            yield b"10000\r\n" + piece + b"\r\n"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._wrap:
                connection = self._wrap(connection)
            with connection, connection.makefile("rb") as reader:
                while line := reader.readline():
                    pairs = (pair.decode("latin-1").partition(":") for pair in iter(reader.readline, b"\r\n"))
                    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                    body = reader.read(int(headers.get("content-length", "0")))
                    request = Request(line.decode("latin-1").strip(), headers, body, number)
                    self.requests.append(request)
                    for part in self.answer(request):
                        if part == b"":
                            connection.shutdown(socket.SHUT_RDWR)
                            return
                        connection.sendall(part)
        except OSError:
            pass  # the sender left


@contextmanager
def receiving(answer: Answer, port: int = 0) -> Iterator[ScriptedReceiver]:
    receiver = ScriptedReceiver(answer, port)
    try:
        yield receiver
    finally:
        receiver.close()


def ids(requests: Iterable[Request]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def kind(request: Request) -> str:
    return str(json.loads(request.body)["type"])
