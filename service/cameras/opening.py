"""The way into this room: what an operator wrote becomes a source of frames."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.addresses import reach_of_host
from service.cameras.address import REFUSED, SourceError, parse_address, redacted
from service.cameras.child import ChildDecoder
from service.cameras.knock import knocking
from service.cameras.live import LiveSource
from service.cameras.orders import Order
from service.cameras.recorded import open_folder, open_video
from service.ports import Clock, FrameSource

FASTEST: Final = 120.0


def open_source(
    source: str,
    *,
    fps: float,
    clock: Clock,
    start_ms: int | None = None,
    user: str = "",
    password: str = "",
    loopback: bool = True,
) -> FrameSource:
    """Open a camera or a recording.

    A live camera is opened by the first `read`, in a process of its own, and never raises: a camera that is not there
    is a state. A recording is looked at here.

    Args:
        source: an rtsp(s):// or http(s):// URL, N or /dev/videoN for a webcam, a video file, or a folder of pictures.
        fps: most frames a second to hand out, above 0 and at most 120.
        clock: the time.
        start_ms: Unix time in milliseconds at which a recording begins; None is 0, so that every run is the same.
        user: name to log in with; wins over one in the URL.
        password: its password.
        loopback: whether a URL may lead to this machine.

    Raises:
        SourceError: the source is of no known kind, or the recording can't be read.
        ValueError: `fps` is out of range.
    """
    if not (math.isfinite(fps) and 0 < fps <= FASTEST):
        raise ValueError(f"fps is above 0 and at most {FASTEST:g}, not {fps}")
    address = parse_address(source)
    if address is None:
        return _recording(Path(source), fps, start_ms or 0)
    if user or password:
        address = replace(address, user=user, password=password)
    order = Order(address.kind, address.url, fps, user=address.user, password=address.password, loopback=loopback)
    return LiveSource(lambda: knocking(order, lambda: ChildDecoder(order)), clock)


def _recording(path: Path, fps: float, start_ms: int) -> FrameSource:
    with suppress(OSError):  # a name that is too long
        if path.is_dir():
            return open_folder(path, fps=fps, start_ms=start_ms)
        if path.is_file():
            return open_video(path, fps=fps, start_ms=start_ms)
    raise SourceError("SOURCE_UNAVAILABLE", f"{path} is neither a file nor a folder that is there.")


def is_live(source: str) -> bool:
    """Tell whether a source is a camera rather than a recording.

    Raises:
        SourceError: it is of no known kind.
    """
    return parse_address(source) is not None


def source_fault(source: str) -> str:
    """Say what is wrong with a source, without opening it or looking its host up, or "".

    A camera that is only absent is no fault; a login or parameter is not repeated.
    """
    try:
        address = parse_address(source)
    except SourceError as error:
        return error.detail
    if address is None:
        return "" if _is_there(Path(source)) else f"there is no file or folder {redacted(source)[:200]}"
    if address.kind == "usb" or reach_of_host(urlsplit(address.url).hostname or "") != "never":
        return ""
    return REFUSED


def _is_there(path: Path) -> bool:
    with suppress(OSError):  # a name that is too long
        return path.exists()
    return False
