"""FFmpeg does not tell why an RTSP camera can't be opened; one DESCRIBE of our own does."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

from service.cameras.login import answer
from service.cameras.orders import Fault, FeedError, Order
from service.cameras.reach import blamed, connect

_MOST: Final = 65_536
_MEANINGS: Final = {
    401: Fault("STREAM_AUTH_FAILED", "The camera refuses this user and password."),
    403: Fault("STREAM_AUTH_FAILED", "The camera forbids this user the stream."),
    404: Fault("STREAM_NOT_FOUND", "The camera has no stream at this path."),
    454: Fault("STREAM_NOT_FOUND", "The camera has no stream at this path."),
}


def diagnose(order: Order) -> Fault | None:
    """Ask an RTSP camera for its stream and return what is wrong with it; None when it describes the stream."""
    deadline = time.monotonic() + order.open_s
    try:
        status, challenges = _describe(order, deadline, None)
        if status == 401 and (order.user or order.password):
            login = answer(challenges, order.user, order.password, "DESCRIBE", order.url)
            if login:
                status, _ = _describe(order, deadline, login)
        elif status == 401:
            return Fault("STREAM_AUTH_FAILED", "The camera asks for a user and a password.")
    except FeedError as error:
        return error.fault
    except OSError as error:
        return blamed(error).fault
    if status in _MEANINGS:
        return _MEANINGS[status]
    return None if status == 200 else Fault("STREAM_CONNECTION_FAILED", f"The camera answers {status}.")


def _describe(order: Order, deadline: float, login: str | None) -> tuple[int, list[str]]:
    parts = urlsplit(order.url)
    with connect(parts, max(0.1, deadline - time.monotonic()), loopback=order.loopback) as link:
        lines = [f"DESCRIBE {order.url} RTSP/1.0", "CSeq: 1", "Accept: application/sdp", "User-Agent: ppe-monitor"]
        if login:
            lines.append(f"Authorization: {login}")
        link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _MOST:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            link.settimeout(left)
            received = link.recv(4096)
            if not received:
                break
            head += received
    return _read_head(head.decode("latin-1"))


def _read_head(head: str) -> tuple[int, list[str]]:
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) < 2 or not words[0].startswith("RTSP/") or not words[1].isdecimal():
        raise FeedError("STREAM_CONNECTION_FAILED", "What listens there does not speak RTSP.")
    fields = [line.partition(":") for line in lines]
    return int(words[1]), [value.strip() for name, _, value in fields if name.strip().lower() == "www-authenticate"]
