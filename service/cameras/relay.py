"""FFmpeg reads an RTSP camera through this: it is given no address, no login and no second connection.

Left to itself it looks the host up once more, follows redirects to wherever they lead, and sends packets to any address
that a camera names for UDP. So it talks to a relay in its own process, over TCP, and the relay talks to the camera over
the one connection whose address was judged. It puts the camera's address and login into the requests (RFC 2326).
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
from contextlib import suppress
from typing import Final

from service.cameras.login import answer
from service.cameras.orders import Fault, Order

_MOST: Final = 2**20
"""Bytes of a message; pictures come in packets of 64 KiB at most."""
_PIECE: Final = 2**16
_STATUS: Final = re.compile(rb"RTSP/\d\.\d (\d{3})\b")
_FIELD: Final = re.compile(rb"^([\w-]+)[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_MESSAGE: Final = re.compile(rb"\$|RTSP/|[A-Z_]{3,20} (?:rtsp|\*)")
"""How a packet, an answer and a request begin."""
_CHALLENGE: Final = re.compile(rb"^www-authenticate[ \t]*:.*\n(?:[ \t].*\n)*", re.MULTILINE | re.IGNORECASE)
_MEANINGS: Final = {
    401: Fault("STREAM_AUTH_FAILED", "The camera refuses this user and password."),
    403: Fault("STREAM_AUTH_FAILED", "The camera forbids this user the stream."),
    404: Fault("STREAM_NOT_FOUND", "The camera has no stream at this path."),
    454: Fault("STREAM_NOT_FOUND", "The camera has no stream at this path."),
    461: Fault("SOURCE_INVALID", "The camera sends its video over UDP only; set it to RTSP over TCP."),
}
_NO_RTSP: Final = Fault("STREAM_CONNECTION_FAILED", "What listens there does not speak RTSP.")
_NO_LOGIN: Final = Fault("STREAM_AUTH_FAILED", "The camera asks for a user and a password.")
_REDIRECT: Final = Fault("SOURCE_REFUSED", "The camera redirects to another address, which is not followed.")


class Relay:
    """Stands between FFmpeg and a camera, from now until either hangs up.

    Args:
        order: whose URL and login go into the requests.
        camera: the connection to the camera; the relay closes it.

    Attributes:
        url: what FFmpeg opens: on this machine, for whoever knows it, once.
    """

    def __init__(self, order: Order, camera: socket.socket) -> None:
        self._order = order
        self._camera = camera
        self._sending = threading.Lock()
        self._asked: dict[bytes, bytes] = {}
        self._challenges: list[str] = []
        self._fault: Fault | None = _NO_RTSP
        camera.settimeout(None)  # FFmpeg knows how long it waits
        self._door = socket.create_server(("127.0.0.1", 0), backlog=4)
        self.url = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/{secrets.token_hex(16)}"
        threading.Thread(target=self._serve, name="relay", daemon=True).start()

    @property
    def fault(self) -> Fault | None:
        """What is wrong, as far as the camera's answers tell; None after a good one."""
        return self._fault

    def _serve(self) -> None:
        reader, asked = self._let_in()
        answers = threading.Thread(target=self._hand_down, args=(reader.link,), name="relay answers", daemon=True)
        answers.start()
        with suppress(OSError, _Nonsense):
            while asked:
                self._send_up(asked)
                asked = reader.next()
        _hang_up(self._camera)
        answers.join()
        _hang_up(reader.link)

    def _let_in(self) -> tuple[_Reader, bytes]:
        """Wait for FFmpeg: others on this machine may find the port, and do not know the URL."""
        with self._door:
            while True:
                link, _ = self._door.accept()
                link.settimeout(1.0)
                reader = _Reader(link)
                with suppress(OSError, _Nonsense):
                    asked = reader.next()
                    if asked.split(b" ", 2)[1:2] == [self.url.encode()]:
                        link.settimeout(None)
                        return reader, asked
                link.close()

    def _send_up(self, asked: bytes) -> None:
        if asked[:1] != b"$" and not asked.startswith(b"RTSP/"):
            verb, target, rest = asked.split(b" ", 2)
            asked = b" ".join((verb, target.replace(self.url.encode(), self._order.url.encode(), 1), rest))
            if len(self._asked) < 16:  # a camera that answers nothing is not asked much either
                self._asked[_fields(asked).get(b"cseq", b"")] = asked
            asked = self._with_login(asked)
        with self._sending:
            self._camera.sendall(asked)

    def _with_login(self, asked: bytes) -> bytes:
        if not self._challenges:
            return asked
        verb, target, _ = asked.decode("latin-1").split(" ", 2)
        login = answer(self._challenges, self._order.user, self._order.password, verb, target)
        head, end, body = asked.partition(b"\r\n\r\n")
        return head + f"\r\nAuthorization: {login}".encode() + end + body if login else asked

    def _hand_down(self, ffmpeg: socket.socket) -> None:
        reader = _Reader(self._camera)
        with suppress(OSError, _Nonsense):
            while said := reader.next():
                handed = said if said[:1] == b"$" else self._heard(said)
                if handed:
                    ffmpeg.sendall(handed)
        _hang_up(ffmpeg)
        _hang_up(self._camera)

    def _heard(self, said: bytes) -> bytes:
        """Return what of a message FFmpeg is told: nothing, where the same is asked once more with a login."""
        found = _STATUS.match(said)
        if not found:
            return said
        status = int(found[1])
        asked = self._asked.pop(_fields(said).get(b"cseq", b""), None)
        if 300 <= status < 400:
            self._fault = _REDIRECT
            raise _Nonsense
        if status == 401 and asked and self._login_helps(said):
            with self._sending:
                self._camera.sendall(self._with_login(asked))
            return b""
        self._fault = None if status < 300 else self._meaning(status)
        return _without_challenge(said) if status == 401 else said

    def _login_helps(self, said: bytes) -> bool:
        """Tell whether a login was not given yet, or has grown stale: to repeat a refused one may lock the user out."""
        challenges = [value.decode("latin-1") for name, value in _listed(said) if name == b"www-authenticate"]
        first, self._challenges = not self._challenges, challenges
        stale = any("stale=true" in one.lower().replace('"', "").replace(" ", "") for one in challenges)
        return bool(self._order.user or self._order.password) and (first or stale)

    def _meaning(self, status: int) -> Fault:
        if status == 401 and not (self._order.user or self._order.password):
            return _NO_LOGIN
        return _MEANINGS.get(status) or Fault("STREAM_CONNECTION_FAILED", f"The camera answers {status}.")


class _Nonsense(Exception):  # noqa: N818 - it reads as what happened
    """What a side says can't be handed on."""


class _Reader:
    """Cuts what comes from one side into messages: a head with its body, or whole packets of media."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self._rest = bytearray()

    def next(self) -> bytes:
        """Return the next message; empty when the side hung up.

        Raises:
            _Nonsense: it never ends.
        """
        while not (size := self._size()):
            if len(self._rest) > _MOST:
                raise _Nonsense
            received = self.link.recv(_PIECE)
            if not received:
                return b""
            self._rest += received
        message = bytes(self._rest[:size])
        del self._rest[:size]
        return message

    def _size(self) -> int:
        """Return the bytes of what is whole at the beginning, or 0."""
        begins = _MESSAGE.search(self._rest)
        if begins is None:
            del self._rest[:-32]
            return 0
        del self._rest[: begins.start()]  # some cameras put rubbish between packets
        if self._rest[:1] == b"$":
            return self._packets()
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            return 0
        length = _fields(bytes(self._rest[:end])).get(b"content-length", b"0")
        if not re.fullmatch(rb"\d{1,6}", length):
            raise _Nonsense
        size = end + 4 + int(length)
        return size if len(self._rest) >= size else 0

    def _packets(self) -> int:
        end = 0
        while self._rest[end : end + 1] == b"$" and len(self._rest) >= end + 4:
            size = 4 + int.from_bytes(self._rest[end + 2 : end + 4])
            if len(self._rest) < end + size:
                break
            end += size
        return end


def _without_challenge(said: bytes) -> bytes:
    """Return a refusal that is FFmpeg's last word: asked for a login, it would try again, and the relay with it."""
    head, end, body = said.partition(b"\r\n\r\n")
    return _CHALLENGE.sub(b"", head + b"\r\n") + end[2:] + body


def _fields(message: bytes) -> dict[bytes, bytes]:
    return dict(_listed(message))


def _listed(message: bytes) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in _FIELD.findall(message.partition(b"\r\n\r\n")[0])]


def _hang_up(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
