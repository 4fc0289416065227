"""Pictures and videos on a disk, and a camera to try things with: paths become pictures to judge, one after another.

Cameras that must run for months are not read here: this reads in the calling process and gives up at the first fault.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import cv2

from service.addresses import reach, resolve
from service.films import PICTURES, FilmFrame, FilmReader, UnreadableFilm
from service.pictures.decode import PictureError, PictureLimits, read_picture
from service.ports import Image

FILMS: Final = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv")
RAW: Final = (".h264", ".264", ".avc", ".h265", ".265", ".hevc")
"""Endings of streams without times, which are refused: `films` says how to mend them."""
VIDEOS: Final = frozenset({*FILMS, *RAW})
_PATIENCE_SECONDS: Final = 10


class SourceError(Exception):
    """A path, video or camera that can't be read; one sentence that says what is wrong."""


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


def camera_moments(camera: int | str, every: float, seconds: float) -> Iterator[FilmFrame]:
    """Read one picture each `every` seconds of a camera (its index or address) for so many seconds; 0 reads them all.

    Raises:
        SourceError: it can't be opened, sends nothing, or its address is one that no camera has.
    """
    begun = time.monotonic()
    try:
        if isinstance(camera, int):
            fault = "this camera can't be opened: is it plugged in, and may this user read it?"
            film = FilmReader(cv2.VideoCapture(camera), lambda: time.monotonic() - begun)
        else:
            fault = "nothing that can be watched answers at this address"
            _keep_away(camera)
            milliseconds = _PATIENCE_SECONDS * 1000
            waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
            film = FilmReader(cv2.VideoCapture(camera, cv2.CAP_FFMPEG, waits))
    except (UnreadableFilm, OSError, ValueError):
        raise SourceError(fault) from None  # the libraries' own errors may quote the address
    try:
        for frame in film.frames(every):
            if frame.at > seconds:
                return
            yield frame
    except UnreadableFilm as error:
        raise SourceError(str(error)) from error
    finally:
        film.close()


def _keep_away(url: str) -> None:
    """Look a camera's host up and refuse addresses that no camera has.

    Raises:
        SourceError: one of its addresses is such.
        OSError: it has none.
        ValueError: it is no URL.
    """
    parts = urlsplit(url)
    if any(reach(address) == "never" for address in resolve(parts.hostname or "", parts.port or 0)):
        raise SourceError("this address is one that no camera has: check the host in it")
