"""A camera is watched on a thread of its own, as the service does, and what it said when is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from service.ports import CameraState, Frame, FrameSource


@dataclass
class Watched:
    """What a camera said; times are on the monotonic clock.

    Attributes:
        states: its changes of state.
        frames: when its frames arrived.
    """

    states: list[tuple[float, CameraState]] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)

    def run(self, source: FrameSource, stop: threading.Event) -> None:
        while not stop.is_set():
            happened = source.read(0.5)
            if isinstance(happened, Frame):
                self.frames.append(happened.at.seconds)
            elif happened is not None:
                self.states.append((happened.at.seconds, happened))

    def offline(self, since: float, within: float) -> tuple[float, CameraState] | None:
        """Wait until the camera is told to be offline; None when that takes too long."""
        return _awaited(
            lambda: next((one for one in self.states if one[0] >= since and one[1].status == "offline"), None),
            since + within,
        )

    def frame(self, since: float, within: float) -> float | None:
        """Wait for the first frame that arrived after a moment; return when it did, or None as above."""
        return _awaited(lambda: next((at for at in self.frames if at >= since), None), since + within)


@contextmanager
def watched(source: FrameSource) -> Iterator[Watched]:
    """Watch a camera until the context ends."""
    kept, stop = Watched(), threading.Event()
    thread = threading.Thread(target=kept.run, args=(source, stop))
    thread.start()
    try:
        yield kept
    finally:
        stop.set()
        thread.join()
        source.close()


_T = TypeVar("_T")


def _awaited(look: Callable[[], _T | None], ends: float) -> _T | None:
    while (found := look()) is None and time.monotonic() < ends:
        time.sleep(0.05)
    return found
