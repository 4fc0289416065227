"""An annotated film that browsers play: H.264 in MP4, its index in front."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import cv2
import numpy as np

from service.ports import Image
from service.safety.site import Zone

_TICK: Final = Fraction(1, 1000)
_ZONE: Final = (200, 200, 200)
_BANNER: Final = (32, 32, 32)
_INK: Final = (255, 255, 255)


class Film:
    """Writes pictures of one size to an MP4 file; a context manager. The first picture decides the size.

    Args:
        path: file to write; it is replaced.
        fps: pictures a second, where pictures come without a time of their own.

    Raises:
        OSError: the file can't be written.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import av  # only where a film is written

        path.open("wb").close()  # an OSError with its reason; the library's are of its own kind
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "23", "preset": "veryfast"}
        self._stream.codec_context.time_base = _TICK
        self._fps = fps
        self._next = 0.0
        self._last = -1
        self._started = False

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, image: Image, at: float | None = None) -> None:
        """Append a picture; odd sides lose a row or column (H.264 wants even ones), another size is fitted in.

        Args:
            image: (h, w, 3) uint8 BGR.
            at: seconds from the film's beginning; without it, 1 / fps after the last one.
        """
        import av

        if not self._started:
            height, width = (side - side % 2 for side in image.shape[:2])
            self._stream.width, self._stream.height = width, height
            self._started = True
        frame = av.VideoFrame.from_ndarray(_fitted(image, self._stream.width, self._stream.height), format="bgr24")
        at = self._next if at is None else at
        frame.time_base = _TICK
        frame.pts = self._last = max(round(at / _TICK), self._last + 1)
        self._next = at + 1 / self._fps
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file; without a picture it is empty."""
        if self._started:
            self._container.mux(self._stream.encode())
        self._container.close()


def _fitted(image: Image, width: int, height: int) -> Image:
    """Return a picture of this size: cut by at most a row and a column, else scaled to fit, on black."""
    if 0 <= image.shape[0] - height <= 1 and 0 <= image.shape[1] - width <= 1:
        return np.ascontiguousarray(image[:height, :width])
    scale = min(width / image.shape[1], height / image.shape[0])
    wide, high = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - wide) // 2, (height - high) // 2
    canvas[top : top + high, left : left + wide] = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA)
    return canvas


def draw_zones(image: Image, zones: Sequence[Zone]) -> Image:
    """Return a copy with the outlines and names of zones."""
    drawn = image.copy()
    size = np.array([image.shape[1], image.shape[0]])
    for zone in zones:
        corners = np.round(np.array(zone.polygon) * size).astype(np.int32)
        cv2.polylines(drawn, [corners], True, _ZONE, 2, cv2.LINE_AA)
        at = int(corners[0][0]) + 4, max(int(corners[0][1]) - 6, 14)
        cv2.putText(drawn, zone.name or zone.id, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, _ZONE, 1, cv2.LINE_AA)
    return drawn


def draw_banner(image: Image, lines: Sequence[str]) -> Image:
    """Return the picture with lines of text under it on a dark ground; nothing is covered."""
    row = max(20, image.shape[0] // 25)
    banner = np.full((row * len(lines) + row // 2, image.shape[1], 3), _BANNER, np.uint8)
    for number, line in enumerate(lines):
        at = 8, row * number + row
        cv2.putText(banner, line, at, cv2.FONT_HERSHEY_SIMPLEX, row / 40, _INK, 1, cv2.LINE_AA)
    return np.vstack([image, banner]).astype(np.uint8)
