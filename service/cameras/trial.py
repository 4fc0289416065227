"""A camera is tried before it is watched: does a picture come, and how fast do they."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.ports import CameraState, Clock, Frame, FrameSource

PATIENCE: Final = 20.0
"""Seconds for a camera's first picture; a camera that is watched gets 12, and its decoder some to start."""


def first_picture(source: FrameSource, clock: Clock, seconds: float = PATIENCE) -> Frame | CameraState | None:
    """Read a source up to its first picture, or to why there is none; None when neither comes in time."""
    ends = clock.now().seconds + seconds
    while (left := ends - clock.now().seconds) > 0:
        happened = source.read(left)
        if isinstance(happened, Frame) or (happened and happened.status in {"offline", "ended"}):
            return happened
    return None


def pictures(source: FrameSource, clock: Clock, seconds: float) -> Iterator[Frame]:
    """Yield the pictures that come within some seconds; it ends sooner where no more do."""
    ends = clock.now().seconds + seconds
    while (left := ends - clock.now().seconds) > 0:
        happened = source.read(left)
        if isinstance(happened, Frame):
            yield happened
        elif happened is not None and happened.status in {"offline", "ended"}:
            return


def rate(first: Frame, last: Frame) -> float | None:
    """Return the pictures a second that came between two of one source; None where they are one."""
    spent = last.at.since(first.at)
    return (last.number - first.number) / spent if spent > 0 else None
