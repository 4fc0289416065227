"""Motion JPEG over HTTP: a response without end whose parts are pictures. Redirects are not followed."""

from __future__ import annotations

import http.client
import re
from email.message import Message
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from service.cameras.login import answer
from service.cameras.orders import FeedError, Order
from service.cameras.reach import blamed, connect

_HEADER: Final = 8192
_PART: Final = 16 * 2**20
_TOO_LARGE: Final = "The camera sends parts that are larger than any picture."
_LENGTH: Final = re.compile(rb"^content-length:\s*(\d{1,9})\s*$", re.IGNORECASE | re.MULTILINE)


class Parts:
    """Cuts a multipart body into its parts, however it arrives.

    Args:
        boundary: what stands between the parts, without the leading hyphens.
        most: bytes that a part may have.
    """

    def __init__(self, boundary: bytes, most: int = _PART) -> None:
        self._line = b"--" + boundary
        self._most = most
        self._rest = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Take the next bytes of the body and return the parts that they complete.

        Raises:
            FeedError: a part is larger than a picture can be.
        """
        self._rest += received
        found = []
        while (part := self._next()) is not None:
            if part:
                found.append(part)
        if len(self._rest) > self._most + _HEADER:
            raise FeedError("SOURCE_INVALID", _TOO_LARGE)
        return found

    def _next(self) -> bytes | None:
        start = self._rest.find(self._line)
        if start < 0:
            return None
        head = self._rest.find(b"\r\n\r\n", start)
        if head < 0:
            return None
        body = head + 4
        stated = _LENGTH.search(bytes(self._rest[start:head]).replace(b"\r\n", b"\n"))
        # without a length a part is complete only when the next one begins
        end = body + int(stated[1]) if stated else self._rest.find(self._line, body)
        if end - body > self._most:
            raise FeedError("SOURCE_INVALID", _TOO_LARGE)
        if end < 0 or len(self._rest) < end:
            return None
        part = bytes(self._rest[body:end])
        del self._rest[:end]
        return part


class MjpegFeed:
    """Pictures of an HTTP camera.

    Raises:
        FeedError: it can't be opened.
    """

    def __init__(self, order: Order) -> None:
        self._response = _opened(order)
        self._parts = Parts(_boundary(self._response.headers))
        self._waiting: list[bytes] = []
        self._picture = b""

    def grab(self) -> bool:
        """Wait for the next picture; False when the camera ended the stream.

        Raises:
            FeedError: it is silent or sends nonsense.
        """
        while not self._waiting:
            try:
                received = self._response.read1(65_536)
            except TimeoutError as error:
                raise FeedError("STREAM_STALLED", "The camera sends no pictures any more.") from error
            except (OSError, http.client.HTTPException):
                return False
            if not received:
                return False
            self._waiting = self._parts.feed(received)
        self._picture = self._waiting.pop(0)
        return True

    def retrieve(self, room: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        """Decode the grabbed picture into `room` where it fits; None when it is damaged."""
        encoded = np.frombuffer(self._picture, np.uint8)
        try:
            image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        except cv2.error:
            return None
        if image is None:
            return None
        decoded = np.asarray(image, np.uint8)
        if room is None or room.shape != decoded.shape:
            return decoded
        np.copyto(room, decoded)
        return room


def _opened(order: Order) -> http.client.HTTPResponse:
    response = _asked(order, None)
    if response.status == 401 and (order.user or order.password):
        parts = urlsplit(order.url)
        challenges = response.headers.get_all("WWW-Authenticate") or []
        login = answer(challenges, order.user, order.password, "GET", _target(parts))
        if login:
            response.close()
            response = _asked(order, login)
    if response.status == 200:
        return response
    if response.status in {401, 403}:
        raise FeedError("STREAM_AUTH_FAILED", "The camera refuses this user and password.")
    if response.status in {404, 410}:
        raise FeedError("STREAM_NOT_FOUND", "The camera has no stream at this path.")
    if 300 <= response.status < 400:
        raise FeedError("SOURCE_REFUSED", "The camera redirects to another address, which is not followed.")
    raise FeedError("STREAM_CONNECTION_FAILED", f"The camera answers {response.status}.")


def _asked(order: Order, login: str | None) -> http.client.HTTPResponse:
    parts = urlsplit(order.url)
    link = connect(parts, order.open_s, loopback=order.loopback)
    link.settimeout(order.read_s)
    asking = http.client.HTTPConnection(parts.netloc)
    asking.sock = link  # the connection whose address was checked
    headers = {"User-Agent": "ppe-monitor", "Accept": "multipart/x-mixed-replace"}
    if login:
        headers["Authorization"] = login
    try:
        asking.request("GET", _target(parts), headers=headers)
        return asking.getresponse()
    except OSError as error:
        raise blamed(error) from error
    except http.client.HTTPException as error:
        raise FeedError("STREAM_CONNECTION_FAILED", "What listens there does not speak HTTP.") from error


def _target(parts: SplitResult) -> str:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe="!#$%&'()*+,/:;=?@[]~")  # a request line is ASCII


def _boundary(headers: Message) -> bytes:
    boundary = headers.get_boundary("")
    if headers.get_content_type() != "multipart/x-mixed-replace" or not boundary:
        raise FeedError("SOURCE_INVALID", "What is sent there is no MJPEG stream (multipart/x-mixed-replace).")
    return str(boundary).removeprefix("--").encode()  # some cameras count the hyphens in
