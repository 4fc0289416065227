"""What the service and a decoder process say to each other: an order goes down, faults and mailboxes come up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the decoder process stays light: it loads nothing but OpenCV and numpy
    from service.ports import CameraCode


@dataclass(frozen=True, slots=True)
class Order:
    """What a decoder process has to watch. It travels over a socket: arguments and environment are seen by everyone.

    Attributes:
        kind: who reads it: FFmpeg, the MJPEG reader or Video4Linux.
        url: the address without user and password; the number of the device for usb.
        fps: most pictures a second to hand out.
        open_s: seconds that opening may take.
        read_s: seconds that a read may take.
        loopback: whether an address of this machine may be opened.
    """

    kind: Literal["rtsp", "http", "usb"]
    url: str
    fps: float
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    open_s: float = 5.0
    read_s: float = 3.0
    loopback: bool = True

    def encoded(self) -> bytes:
        """Return it as it travels."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def decoded(line: bytes) -> Order:
        """Return the order that `encoded` wrote."""
        return Order(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a camera gives no pictures: a code and a sentence without address or credential."""

    code: CameraCode
    detail: str


class FeedError(Exception):
    """A feed can't be opened or went bad."""

    def __init__(self, code: CameraCode, detail: str) -> None:
        self.fault = Fault(code, detail)
        super().__init__(detail)
