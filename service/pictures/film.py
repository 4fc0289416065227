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

_ZONE: Final = (200, 200, 200)
_BANNER: Final = (32, 32, 32)
_INK: Final = (255, 255, 255)


class Film:
    """Writes pictures of one size to an MP4 file; a context manager. The first picture decides the size.

    Args:
        path: file to write; it is replaced.
        fps: pictures a second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import av  # only where a film is written

        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "23", "preset": "veryfast"}
        self._started = False

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, image: Image) -> None:
        """Append a picture; odd sides lose a row or column (H.264 wants even ones)."""
        import av

        height, width = (side - side % 2 for side in image.shape[:2])
        if not self._started:
            self._stream.width, self._stream.height = width, height
            self._started = True
        even = np.ascontiguousarray(image[: self._stream.height, : self._stream.width])
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(even, format="bgr24")))

    def close(self) -> None:
        """Finish the file."""
        if self._started:
            self._container.mux(self._stream.encode())
        self._container.close()


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
