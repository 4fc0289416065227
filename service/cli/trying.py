"""A site's cameras and endpoints, tried once: a first picture of each camera, a connection to each endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from service.cameras.address import SourceError, redacted
from service.cameras.opening import open_source
from service.delivery.endpoint import unreachable
from service.ports import CameraState, Clock, Frame, FrameSource

if TYPE_CHECKING:
    from service.sitefile import CameraEntry, EndpointEntry, SiteFile

PATIENCE: Final = 20.0
"""Seconds for a camera's first picture; a camera that is watched gets 12, and its decoder some to start."""
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try went: the keys of what was tried, whether it works, and a sentence without any login."""

    where: str
    works: bool
    what: str


def tried(site: SiteFile, clock: Clock) -> Iterator[Tried]:
    """Try every camera and endpoint of a site, some at once, and yield how it went in the file's order.

    Endpoints are connected to (with TLS for https) and hung up on: a receiver gets no request, signed or not.
    """
    tries: list[Callable[[], Tried]] = [
        partial(_try_camera, f"cameras.{name}", entry, clock) for name, entry in site.cameras.items()
    ]
    tries += [partial(_try_endpoint, f"endpoints.{name}", entry) for name, entry in site.endpoints.items()]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda attempt: attempt(), tries)


def first_picture(source: FrameSource, clock: Clock, seconds: float = PATIENCE) -> Frame | CameraState | None:
    """Read a source up to its first picture, or to why there is none; None when neither comes in time."""
    ends = clock.now().seconds + seconds
    while (left := ends - clock.now().seconds) > 0:
        happened = source.read(left)
        if isinstance(happened, Frame) or (happened and happened.status in {"offline", "ended"}):
            return happened
    return None


def _try_camera(where: str, entry: CameraEntry, clock: Clock) -> Tried:
    password = os.environ.get(entry.password_env, "") if entry.password_env else ""
    if entry.password_env and not password:  # a camera locks the user out who comes without
        return Tried(where, False, f"not tried: {entry.password_env} is not set")
    begun = clock.now()
    try:
        source = open_source(entry.source, fps=entry.fps, clock=clock, user=entry.user or "", password=password)
    except SourceError as error:
        return Tried(where, False, f"{error.code}: {error.detail.replace(entry.source, redacted(entry.source))}")
    try:
        first = first_picture(source, clock)
    finally:
        source.close()
    if isinstance(first, Frame):
        height, width = first.image.shape[:2]
        return Tried(where, True, f"a picture of {width}x{height} after {clock.now().since(begun):.1f} s")
    if first is None:
        return Tried(where, False, f"STREAM_TIMEOUT: no picture within {PATIENCE:g} s")
    return Tried(where, False, f"{first.code}: {first.detail}" if first.code else "it has no picture")


def _try_endpoint(where: str, entry: EndpointEntry) -> Tried:
    fault = unreachable(entry.url, lan=entry.lan)
    return Tried(where, not fault, fault or "it can be connected to; nothing was sent")
