"""A site's cameras and endpoints, tried once: a first picture of each camera, a connection to each endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from service.cameras.address import SourceError, redacted
from service.cameras.opening import open_source
from service.cameras.trial import PATIENCE, first_picture
from service.delivery.endpoint import unreachable
from service.ports import Clock, Frame, FrameSource

if TYPE_CHECKING:
    from service.sitefile import BrokerEntry, CameraEntry, EndpointEntry, SiteFile

_AT_ONCE: Final = 8
UNTRIED: Final = "not tried: that would send something; 'ppe people test {name} --site FILE' does"

Advice: TypeAlias = "Callable[[FrameSource, Frame, CameraEntry], str]"


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try went: the keys of what was tried, whether it works, a sentence without any login, advice."""

    where: str
    works: bool
    what: str
    advice: str = ""


def tried(site: SiteFile, clock: Clock, advice: Advice = lambda *_: "") -> Iterator[Tried]:
    """Try every camera and endpoint of a site, some at once, and yield how it went in the file's order.

    Endpoints are connected to (with TLS for https) and hung up on: a receiver gets no request, signed or not.

    Args:
        advice: is shown every camera that works, and returns a sentence that would help, or "".
    """
    tries: list[Callable[[], Tried]] = [
        partial(_try_camera, f"cameras.{name}", entry, clock, advice) for name, entry in site.cameras.items()
    ]
    tries += [partial(_try_endpoint, f"endpoints.{name}", entry) for name, entry in site.endpoints.items()]
    tries += [partial(Tried, f"people.{name}", True, UNTRIED.format(name=name)) for name in site.people]
    tries += [partial(_try_broker, site.mqtt)] if site.mqtt else []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda attempt: attempt(), tries)


def _try_camera(where: str, entry: CameraEntry, clock: Clock, advice: Advice) -> Tried:
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
        if isinstance(first, Frame):
            height, width = first.image.shape[:2]
            found = f"a picture of {width}x{height} after {clock.now().since(begun):.1f} s"
            return Tried(where, True, found, advice(source, first, entry))
    finally:
        source.close()
    if first is None:
        return Tried(where, False, f"STREAM_TIMEOUT: no picture within {PATIENCE:g} s")
    return Tried(where, False, f"{first.code}: {first.detail}" if first.code else "it has no picture")


def _try_endpoint(where: str, entry: EndpointEntry) -> Tried:
    fault = unreachable(entry.url, lan=entry.lan)
    return Tried(where, not fault, fault or "it can be connected to; nothing was sent")


def _try_broker(entry: BrokerEntry) -> Tried:
    """Log in and leave: nothing is published, and nobody sees a will."""
    from service.delivery.topics import Topics
    from service.wiring import WiringError
    from service.wiring.broker import broker_of

    try:
        fault = broker_of(entry, Topics(entry.prefix)).try_out()
    except WiringError as error:
        return Tried("mqtt", False, str(error))
    return Tried("mqtt", not fault, fault or "it can be connected to; nothing was published")
