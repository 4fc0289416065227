"""A camera that speaks RTSP and sends no picture: it notes what it is asked, and hangs up when it is to play."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from typing import Self

SIGHT = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:sight\r\n"
SOUND = b"m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:sound\r\n"
_SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=gate\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"


class Teller:
    """Listens from `with` on.

    Args:
        media: what it announces.
        locked: it takes no login.

    Attributes:
        asked: the requests, as they came.
    """

    def __init__(self, media: bytes = SIGHT, *, locked: bool = False) -> None:
        self._media = _SDP + media
        self._locked = locked
        self._door = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.url = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/live"
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()

    def verbs(self) -> list[str]:
        return [request.partition(" ")[0] for request in self.asked]

    def logins(self) -> int:
        return sum("\nauthorization:" in request.lower() for request in self.asked)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                guest, _ = self._door.accept()
                guest.settimeout(10)
                with guest, suppress(OSError):
                    self._talk(guest)

    def _talk(self, guest: socket.socket) -> None:
        heard = b""
        while received := guest.recv(65_536):
            heard += received
            while b"\r\n\r\n" in heard:
                request, _, heard = heard.partition(b"\r\n\r\n")
                self.asked.append(request.decode())
                if request.startswith(b"PLAY"):
                    return
                guest.sendall(self._answer(request))

    def _answer(self, request: bytes) -> bytes:
        fields = dict(re.findall(rb"^(\w+): *([^\r\n]*)", request, re.MULTILINE))
        begins = b" OK\r\nCSeq: " + fields[b"CSeq"] + b"\r\n"
        if self._locked and not request.startswith(b"OPTIONS"):
            challenge = b'WWW-Authenticate: Digest realm="gate", nonce="%d"\r\n' % len(self.asked)
            return b"RTSP/1.0 401" + begins + challenge + b"\r\n"
        if request.startswith(b"DESCRIBE"):
            length = b"Content-Length: %d\r\n\r\n" % len(self._media)
            return b"RTSP/1.0 200" + begins + b"Content-Type: application/sdp\r\n" + length + self._media
        if request.startswith(b"SETUP"):
            return b"RTSP/1.0 200" + begins + b"Session: 1\r\nTransport: " + fields[b"Transport"] + b"\r\n\r\n"
        return b"RTSP/1.0 200" + begins + b"Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
