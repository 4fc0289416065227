"""Reading a source until something happens, with a deadline in real time."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.ports import CameraState, Frame, FrameSource

Event = Frame | CameraState


def until(source: FrameSource, wanted: Callable[[Event], bool], within: float) -> list[Event]:
    """Return everything that is read up to what is wanted; fail when that does not come in time."""
    deadline = time.monotonic() + within
    read: list[Event] = []
    while time.monotonic() < deadline:
        event = source.read(0.2)
        if event is not None:
            read.append(event)
            if wanted(event):
                return read
    raise AssertionError(f"it did not come within {within} s; what came: {[brief(event) for event in read]}")


def state(status: str, code: str | None = None) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, CameraState) and event.status == status and code in {None, event.code}


def picture(event: Event) -> bool:
    return isinstance(event, Frame)


def brief(event: Event) -> str:
    return f"frame {event.number}" if isinstance(event, Frame) else f"{event.status} {event.code} {event.detail}"


def eventually(true: Callable[[], bool], within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return true()
