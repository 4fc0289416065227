"""Recorded cameras: a video file or a folder of pictures, handed out in file time, the same frames every time."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**28))

import cv2
import numpy as np

from service.cameras.address import SourceError
from service.films import PICTURES, FilmReader, UnreadableFilm, open_film
from service.ports import CameraState, Frame, Image
from service.safety.moment import Moment

Story = Generator[Frame | CameraState, None, None]

_NAMED: Final = 3


class RecordedSource:
    """A recording: ``live``, its frames in order, ``ended``; see `ports.FrameSource`.

    Args:
        story: yields them; closing it frees what it holds.
    """

    def __init__(self, story: Story) -> None:
        self._story = story

    def read(self, wait: float) -> Frame | CameraState | None:  # noqa: ARG002 - a recording keeps nobody waiting
        """Return the next frame or change of state; None after the end."""
        return next(self._story, None)

    def close(self) -> None:
        """Close the recording. Idempotent."""
        self._story.close()


def open_video(path: Path, *, fps: float, start_ms: int) -> RecordedSource:
    """Open a video file. Of each 1 / fps seconds of film the first frame is handed out.

    Args:
        path: the file.
        fps: most frames a second of film; at least one every 1 / fps seconds where the film has as many.
        start_ms: Unix time in milliseconds of its first frame.

    Raises:
        SourceError: it is no video that can be read.
    """
    try:
        film = open_film(path)
    except UnreadableFilm as error:
        raise SourceError(error.code, f"{path} {error.detail}.") from error
    return RecordedSource(_told_video(film, fps, start_ms))


def open_folder(path: Path, *, fps: float, start_ms: int) -> RecordedSource:
    """Open a folder of pictures: in the order of their names, one every 1 / fps seconds, turned upright.

    Args:
        path: the folder.
        fps: pictures a second.
        start_ms: Unix time in milliseconds of the first.

    Raises:
        SourceError: it can't be read or holds no pictures.
    """
    try:
        found = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in PICTURES and entry.name[0] != ".")
    except OSError as error:
        raise SourceError("SOURCE_UNAVAILABLE", f"{path} can't be read ({error.strerror}).") from error
    if not found:
        raise SourceError("SOURCE_INVALID", f"{path} holds no pictures.")
    return RecordedSource(_told_folder(found, fps, start_ms))


def _told_video(film: FilmReader, fps: float, start_ms: int) -> Story:
    try:
        yield CameraState("live", _moment(0.0, start_ms))
        for frame in film.frames(1 / fps):
            yield Frame(frame.image, _moment(frame.at, start_ms), frame.number)
    except UnreadableFilm as error:
        yield CameraState("offline", _moment(film.at, start_ms), error.code, f"The video {error.detail}.")
    finally:
        film.close()
    yield CameraState("ended", _moment(film.at, start_ms))


def _told_folder(pictures: list[Path], fps: float, start_ms: int) -> Story:
    yield CameraState("live", _moment(0.0, start_ms))
    unreadable = []
    for index, picture in enumerate(pictures):
        image = _picture(picture)
        if image is None:
            unreadable.append(picture.name)
            continue
        yield Frame(image, _moment(index / fps, start_ms), index + 1)
    end = _moment((len(pictures) - 1) / fps, start_ms)
    if len(unreadable) == len(pictures):
        yield CameraState("offline", end, "SOURCE_INVALID", "None of the pictures can be read.")
    names = ", ".join(unreadable[:_NAMED]) + (" ..." if len(unreadable) > _NAMED else "")
    detail = f"{len(unreadable)} of {len(pictures)} pictures can't be read: {names}" if unreadable else ""
    yield CameraState("ended", end, detail=detail)


def _picture(path: Path) -> Image | None:
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # too large
        return None
    return None if image is None else np.ascontiguousarray(image, np.uint8)


def _moment(seconds: float, start_ms: int) -> Moment:
    return Moment(seconds, start_ms + round(seconds * 1000))
