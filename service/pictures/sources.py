"""Pictures and videos on a disk, and a camera to try things with: paths become pictures to judge, one after another.

Cameras that must run for months are not read here: this reads in the calling process and gives up at the first fault.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its complaints about broken files come as our own sentences

import cv2
import numpy as np

from service.pictures.decode import PictureError, PictureLimits, read_picture
from service.ports import Image

PICTURES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff"})
VIDEOS: Final = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv"})
_PATIENCE_SECONDS: Final = 10


class SourceError(Exception):
    """A path, video or camera that can't be read; one sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One picture of a video or camera, `at` seconds after its beginning."""

    at: float
    image: Image


@dataclass(frozen=True, slots=True)
class Film:
    """What a video says about itself: how long it lasts and pictures a second; 0 where it does not say."""

    seconds: float
    rate: float


def is_video(path: Path) -> bool:
    """Tell by its name whether a file is a video."""
    return path.suffix.lower() in VIDEOS


def files_in(folder: Path, *, recursive: bool = False, without: Path | None = None) -> list[Path]:
    """Return the pictures and videos of a folder in the order of their names, hidden ones left out.

    Args:
        recursive: look into its folders too.
        without: a folder that is passed over, such as the one that results are written to.

    Raises:
        SourceError: the folder can't be read.
    """
    try:
        found = sorted(folder.rglob("*") if recursive else folder.iterdir())
    except OSError as error:
        raise SourceError(f"{folder}: this folder can't be read ({error.strerror})") from error
    passed_over = None if without is None else without.resolve()
    return [
        path
        for path in found
        if path.suffix.lower() in PICTURES | VIDEOS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
        and (passed_over is None or passed_over not in path.resolve().parents)
    ]


def read_picture_file(path: Path, limits: PictureLimits) -> Image:
    """Read one picture, upright.

    Raises:
        PictureError: see `decode.read_picture`.
        SourceError: the file can't be read.
    """
    try:
        size = path.stat().st_size
        if size > limits.bytes:  # a film of 20 GB is not read to be told so
            raise PictureError("IMAGE_TOO_LARGE", f"The file has {size} bytes; at most {limits.bytes} are taken.")
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"this file can't be read ({error.strerror})") from error
    return read_picture(content, limits)


def film_of(path: Path) -> Film:
    """Read a video's header.

    Raises:
        SourceError: it can't be read as a video.
    """
    capture = _open_file(path)
    try:
        return _film(capture)
    finally:
        capture.release()


def video_moments(path: Path, every: float) -> Iterator[Moment]:
    """Read one picture each `every` seconds of a video, beginning with the first; 0 reads them all.

    Raises:
        SourceError: it can't be read, or breaks off long before its end.
    """
    capture = _open_file(path)
    try:
        yield from _moments(capture, every)
    finally:
        capture.release()


def camera_moments(camera: int | str, every: float, seconds: float) -> Iterator[Moment]:
    """Read one picture each `every` seconds of a camera (its index or address) for so many seconds.

    Raises:
        SourceError: it can't be opened, or sends nothing.
    """
    if isinstance(camera, int):
        capture = cv2.VideoCapture(camera)
        fault = "this camera can't be opened: is it plugged in, and may this user read it?"
    else:
        milliseconds = _PATIENCE_SECONDS * 1000
        waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
        capture = cv2.VideoCapture(camera, cv2.CAP_FFMPEG, waits)
        fault = "nothing that can be watched answers at this address"
    try:
        if not capture.isOpened():
            raise SourceError(fault)
        for moment in _moments(capture, every, live=isinstance(camera, int)):
            if moment.at > seconds:
                return
            yield moment
    finally:
        capture.release()


def _open_file(path: Path) -> cv2.VideoCapture:
    if not path.is_file():
        raise SourceError("there is no such file")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError("this is no video that can be read, or it is damaged")
    return capture


def _film(capture: cv2.VideoCapture) -> Film:
    rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    known = rate > 0 and frames > 0
    return Film(seconds=frames / rate if known else 0.0, rate=rate if known else 0.0)


def _moments(capture: cv2.VideoCapture, every: float, *, live: bool = False) -> Iterator[Moment]:
    """Decode what is due and skip the rest; time is the stream's own, or the clock's for a camera that has none."""
    film, start, due, at, seen = _film(capture), time.monotonic(), 0.0, 0.0, 0
    first = None
    while capture.grab():
        stamp = time.monotonic() - start if live else capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = stamp if first is None else first
        at = max(at, stamp - first)
        if at < due:
            continue
        decoded, image = capture.retrieve()
        if decoded:
            seen += 1
            due = (math.floor(at / every) + 1) * every if every > 0 else 0.0
            yield Moment(at, np.ascontiguousarray(image, dtype=np.uint8))
    if not seen:
        raise SourceError("it holds no picture that can be read")
    if not live and at < 0.9 * film.seconds - 1:
        raise SourceError(f"it breaks off after {at:.1f} of {film.seconds:.1f} seconds")
