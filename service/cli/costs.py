"""What a camera costs on this machine: decoding it against judging it, measured for some seconds."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

import typer

from service.cameras.live import LiveSource
from service.cameras.substream import Load, decoding, is_large
from service.cli.opening import detector_for, settings_for
from service.detectors.opening import tiled

if TYPE_CHECKING:
    from service.ports import Clock, Detector, Frame, FrameSource, Image
    from service.sitefile import CameraEntry

SECONDS: Final = 4.0
"""How long a camera is watched."""
_LOOKS: Final = 4
_INPUT: Final = 640


class Costs:
    """Measures cameras. A context manager: it opens a detector when it needs one. Any thread may ask.

    Args:
        ctx: of the command, for its detector.
        clock: the time.
        seconds: how long a camera is watched.
    """

    def __init__(self, ctx: typer.Context, clock: Clock, seconds: float = SECONDS) -> None:
        self._ctx = ctx
        self._clock = clock
        self._seconds = seconds
        self._turn = threading.Lock()
        self._open = ExitStack()
        self._detector: Detector | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def advice(self, source: FrameSource, first: Frame, entry: CameraEntry) -> str:
        """Return a sentence where a smaller stream of a camera would save more than judging it costs; else ""."""
        height, width = first.image.shape[:2]
        useful = round(_INPUT * (entry.tiles - (entry.tiles - 1) * 0.2))
        if not isinstance(source, LiveSource) or not is_large(width, height, useful):
            return ""
        found = decoding(source, self._clock, self._seconds)
        if found is None:
            return ""
        rate, cores = found
        return Load(width, height, rate, cores, entry.fps, self._detecting(first.image, entry), useful).advice

    def _detecting(self, image: Image, entry: CameraEntry) -> float:
        """Return the cores that judging such pictures takes, at the camera's rate."""
        with self._turn:  # the clock below is the whole process's
            if self._detector is None:
                self._detector = detector_for(self._ctx, settings_for())
                self._open.callback(self._detector.close)
            look = tiled(self._detector, entry.tiles)
            look.detect(image)  # compiles
            before = time.process_time()
            for _ in range(_LOOKS):
                look.detect(image)
            return (time.process_time() - before) / _LOOKS * entry.fps
