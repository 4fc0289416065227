"""Recorded cameras: a video file or a folder of pictures, handed out in file time, the same frames every time."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its complaints about broken files come as our own sentences
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**28))

import cv2
import numpy as np

from service.cameras.address import SourceError
from service.cameras.pace import Samples
from service.ports import CameraState, Frame, Image
from service.safety.moment import Moment

Story = Generator[Frame | CameraState, None, None]

PICTURES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_PLAYLISTS: Final = (b"#EXTM3U", b"ffconcat")  # they would have FFmpeg open other files and addresses
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
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise SourceError("SOURCE_UNAVAILABLE", f"{path} can't be read ({error.strerror}).") from error
    if not head:
        raise SourceError("SOURCE_INVALID", f"{path} is empty (0 bytes).")
    if head.startswith(_PLAYLISTS):
        raise SourceError("SOURCE_REFUSED", f"{path} is a playlist: name the video files themselves.")
    if path.suffix.lower() in PICTURES:
        raise SourceError("SOURCE_INVALID", f"{path} is a single picture: name a folder of pictures or a video.")
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    if not capture.isOpened() or not capture.grab():
        capture.release()
        raise SourceError("SOURCE_INVALID", f"{path} is no video that can be read, or it is damaged.")
    return RecordedSource(_told_video(capture, Samples(fps), start_ms))


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


def _told_video(capture: cv2.VideoCapture, samples: Samples, start_ms: int) -> Story:
    """Tell an open video whose first frame is grabbed."""
    at, seen, first, number, more = 0.0, 0, _position(capture), 0, True
    rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    length = frames / rate if rate > 0 and frames > 0 else 0.0
    try:
        yield CameraState("live", _moment(0.0, start_ms))
        while more:
            number += 1
            at = max(at, _position(capture) - first)  # damaged files have times that go back
            if samples.takes(at):
                decoded, image = capture.retrieve()
                if decoded:
                    seen += 1
                    yield Frame(np.ascontiguousarray(image, np.uint8), _moment(at, start_ms), number)
            more = capture.grab()
    finally:
        capture.release()
    end = _moment(at, start_ms)
    if not seen:
        yield CameraState("offline", end, "SOURCE_INVALID", "The video holds no picture that can be read.")
    elif at < 0.9 * length - 1:
        yield CameraState("offline", end, "SOURCE_INVALID", f"The video breaks off at {at:.1f} of {length:.1f} s.")
    yield CameraState("ended", end)


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


def _position(capture: cv2.VideoCapture) -> float:
    return float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000


def _moment(seconds: float, start_ms: int) -> Moment:
    return Moment(seconds, start_ms + round(seconds * 1000))
