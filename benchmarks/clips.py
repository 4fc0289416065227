"""Films for cameras that only replay them: H.264 as `tests/rtsp/server.py` sends it, encoded beforehand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from itertools import cycle, islice, repeat
from pathlib import Path

import cv2
import numpy as np

from service.films import open_film
from service.ports import Image
from tests.rtsp.clips import BAND, BLOCKS, BRIGHT, DARK, H264

NUMBERS = 150
"""Pictures of a film; then it begins again."""
CAMERA = 256
"""What a camera's number is multiplied with in the number that is drawn in."""


def moving(out: Path, width: int, height: int, fps: float, clip: Path | None = None, *, camera: int = 0) -> None:
    """Encode pictures in which much moves, of a film or made; each has its number and its camera's drawn in."""
    pictures = _as_a_sensor_sees(cycle(_made(width, height))) if clip is None else _of(clip, width, height, fps)
    numbered = (_numbered(image, index + camera * CAMERA) for index, image in enumerate(islice(pictures, NUMBERS)))
    _encode(out, numbered, width, height, fps)


def still(out: Path, width: int, height: int, fps: float, clip: Path | None = None) -> None:
    """Encode a scene on which nothing moves, seen by a sensor with noise: the film's first picture, or a made one."""
    scene = next(_made(width, height) if clip is None else _of(clip, width, height, fps))
    _encode(out, islice(_as_a_sensor_sees(repeat(scene)), NUMBERS), width, height, fps)


def number_of(image: Image) -> int:
    """Return the number that is drawn into a picture, its camera's included."""
    width = image.shape[1] // BLOCKS
    rows = image[BAND // 4 : 3 * BAND // 4]
    return sum(
        1 << k for k in range(BLOCKS) if rows[:, k * width + width // 4 : k * width + 3 * width // 4].mean() > 125
    )


def _made(width: int, height: int) -> Iterator[Image]:
    """Draw shapes that move over a scene with structure."""
    rows, columns = np.mgrid[0:height, 0:width]
    scene = np.stack(
        [60 + columns * 80 // width, 90 + rows * 60 // height, 110 + (columns // 40 + rows // 40) % 2 * 40], 2
    )
    for index in range(NUMBERS):
        image = scene.astype(np.uint8)
        for shape in range(4):
            x = int((width + 200) * ((index / NUMBERS + shape / 4) % 1)) - 100
            top = height // 6 + shape * height // 8
            cv2.rectangle(
                image, (x, top), (x + width // 16, top + height // 3), (40 * shape, 200, 255 - 50 * shape), -1
            )
        yield image


def _as_a_sensor_sees(pictures: Iterable[Image]) -> Iterator[Image]:
    """Add noise: it makes streams as large as cameras' are, and no two pictures alike."""
    chance, fields = np.random.default_rng(1), list[np.ndarray]()
    for index, image in enumerate(pictures):
        if len(fields) < 8:
            fields.append(np.round(chance.normal(0, 4, image.shape)).astype(np.int16))
        yield np.clip(image + fields[index % 8], 0, 255).astype(np.uint8)


def _of(clip: Path, width: int, height: int, fps: float) -> Iterator[Image]:
    """Return a film's pictures in another size; it begins again at its end."""
    while True:
        film = open_film(clip)
        for frame in film.frames(1 / fps):
            yield cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[misc]
        film.close()


def _numbered(image: Image, number: int) -> Image:
    width = image.shape[1] // BLOCKS
    for k in range(BLOCKS):
        image[:BAND, k * width : (k + 1) * width] = BRIGHT if (number >> k) & 1 else DARK
    return image


def _encode(out: Path, pictures: Iterator[Image], width: int, height: int, fps: float) -> None:
    source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *source, "-pix_fmt", "yuv420p", *H264]
    with subprocess.Popen([*command, "-f", "h264", str(out)], stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin
        for image in pictures:
            ffmpeg.stdin.write(image.tobytes())
    if ffmpeg.returncode:
        raise RuntimeError(f"ffmpeg failed for {out}")
