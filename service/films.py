"""Film files are read here: their pictures in order, each at the film's own time, the same ones every time."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its complaints about broken files come as our own sentences
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2
import numpy as np

from service.ports import CameraCode, Image

PICTURES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings of pictures' names."""
RAW: Final = (
    "is a raw H.264 or H.265 stream without times, and an alert is a matter of seconds: make a film of it with as many "
    "pictures a second as its camera took, such as 25: ffmpeg -r 25 -i {} {}"
)
_PLAYLISTS: Final = (b"#EXTM3U", b"ffconcat")  # they would have FFmpeg open other files and addresses
_ELEMENTARY: Final = re.compile(rb"\x00{2,}\x01(?![a-z]{4})[\x00-\x7f]")  # H.264, H.265; MPEG's own codes are higher
_ROUNDING: Final = 1e-4  # containers keep times in milliseconds or worse: 0.1999 is 0.2


class UnreadableFilm(Exception):  # noqa: N818 - it reads as what happened
    """A file that is no film, or breaks off: a code, and what is wrong as it is said after the file's name."""

    def __init__(self, code: CameraCode, detail: str) -> None:
        self.code: CameraCode = code
        self.detail = detail
        super().__init__(f"it {detail}")


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One picture of a film: its seconds from the beginning, its number from 1 (all pictures count), what it shows."""

    at: float
    number: int
    image: Image


class Samples:
    """Takes of a film the first picture at or after each multiple of some seconds.

    Args:
        every: the seconds; 0 takes all pictures.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = 0

    def takes(self, at: float) -> bool:
        """Tell whether the picture at position `at` in seconds is due. Positions never go back."""
        if self._every <= 0:
            return True
        slot = math.floor((at + _ROUNDING) / self._every)
        if slot < self._next:
            return False
        self._next = slot + 1
        return True


class FilmReader:
    """A film that is read once, from its beginning to its end.

    Args:
        capture: what decodes it, open; the film closes it.
        position: tells the time of the picture that was grabbed last in seconds, where the film has none of its own.

    Attributes:
        rate: pictures a second, as the film says; 0 where it does not.
        seconds: how long it lasts, as it says; 0 where it does not.
        at: how far it was read, in seconds.

    Raises:
        UnreadableFilm: it has no picture.
    """

    def __init__(self, capture: cv2.VideoCapture, position: Callable[[], float] | None = None) -> None:
        self._capture = capture
        self._position = position
        if not capture.isOpened() or not capture.grab():
            capture.release()
            raise UnreadableFilm("SOURCE_INVALID", "is no video that can be read, or it is damaged")
        rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = rate > 0 and frames > 0
        self.rate = float(rate) if known else 0.0
        self.seconds = float(frames / rate) if known else 0.0
        self.at = 0.0

    def frames(self, every: float) -> Iterator[FilmFrame]:
        """Yield of each `every` seconds of film the first picture that can be read; of 0 all of them.

        Raises:
            UnreadableFilm: it broke off, or holds nothing that can be read; what came before has been handed out.
        """
        samples, first = Samples(every), self._time()
        number, seen, due, more = 0, 0, False, True
        while more:
            number += 1
            self.at = max(self.at, self._time() - first)  # damaged files have times that go back
            due = samples.takes(self.at) or due
            decoded, image = self._capture.retrieve() if due else (False, None)
            if decoded and image is not None:
                seen, due = seen + 1, False
                yield FilmFrame(self.at, number, np.ascontiguousarray(image, np.uint8))
            more = self._capture.grab()
        if not seen:
            raise UnreadableFilm("SOURCE_INVALID", "holds no picture that can be read")
        if number > 1 and self.at == 0:
            raise UnreadableFilm(
                "SOURCE_INVALID", f"holds {number} pictures that all say to be the first: it has no times"
            )
        if self.at < 0.9 * self.seconds - 1:
            raise UnreadableFilm("SOURCE_INVALID", f"breaks off at {self.at:.1f} of {self.seconds:.1f} s")

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._capture.release()

    def _time(self) -> float:
        return self._position() if self._position else float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000


def open_film(path: Path) -> FilmReader:
    """Open a video file.

    Raises:
        UnreadableFilm: it can't be read as a video that has times.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UnreadableFilm("SOURCE_UNAVAILABLE", f"can't be read ({error.strerror})") from error
    if not head:
        raise UnreadableFilm("SOURCE_INVALID", "is empty (0 bytes)")
    if head.startswith(_PLAYLISTS):
        raise UnreadableFilm("SOURCE_REFUSED", "is a playlist: name the video files themselves")
    if path.suffix.lower() in PICTURES:
        raise UnreadableFilm("SOURCE_INVALID", "is a single picture: name a folder of pictures or a video")
    if _ELEMENTARY.match(head):
        raise UnreadableFilm("SOURCE_INVALID", RAW.format(*map(shlex.quote, (path.name, f"{path.stem}.mp4"))))
    return FilmReader(cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG))
