"""Bytes become an upright picture, or are refused with a stable code before they cost anything.

The header is read first, against an allow-list of formats, so that a 48 kB file that unpacks to 2 GB costs a
millisecond. OpenCV decodes (and turns the picture upright by its EXIF orientation); Pillow reads headers only.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from dataclasses import dataclass
from typing import Final, Literal

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**28))
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from service.ports import Image

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_ANIMATED: Final = frozenset({"PNG", "WEBP"})
_SCANS: Final = 64
"""Scans of a JPEG: cameras and programs write 1 to 20. Each is a pass over all pixels, and costs 50 bytes to add."""
_START_OF_SCAN: Final = b"\xff\xda"
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""What ends the coded pixels of a scan; zeros and restarts are a part of them."""
_END_OF_IMAGE: Final = b"\xd9"
_BARE: Final = frozenset({b"\x01", b"\xd8", _END_OF_IMAGE})
"""Markers without a length."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_CHUNK: Final = 12
"""Bytes of a PNG's chunk beside what it holds: length, type, checksum."""
_PIECES: Final = 20_000
"""Markers of a JPEG or chunks of a PNG that are looked at; programs write hundreds, thousands at most."""
_DAMAGED: Final = "The picture is damaged or cut short: send the whole file again."

_open = PillowImage.open
"""Bound here: ultralytics replaces Pillow's function by one that answers an unknown format with an import error."""

Code = Literal["EMPTY_FILE", "UNSUPPORTED_IMAGE", "IMAGE_UNREADABLE", "IMAGE_TOO_LARGE", "IMAGE_DIMENSIONS"]


class PictureError(Exception):
    """A picture that can't be judged: a stable code and a sentence that says what is wrong and how to mend it."""

    def __init__(self, code: Code, detail: str) -> None:
        self.code: Code = code
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may cost: bytes of the file, pixels, longest and shortest side, longest side per shortest."""

    bytes: int = 25 * 2**20
    pixels: int = 50_000_000
    longest_side: int = 16_384
    shortest_side: int = 16
    aspect: float = 20.0


def read_picture(content: bytes, limits: PictureLimits) -> Image:
    """Decode an encoded picture upright.

    Args:
        content: a JPEG, PNG, WebP, BMP or TIFF file (of a TIFF the first page).
        limits: what it may cost.

    Returns:
        (height, width, 3) uint8, blue green red, turned by its EXIF orientation.

    Raises:
        PictureError: it is empty, too large, of another kind, animated, or damaged.
    """
    check_header(content, limits)
    try:
        image = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise PictureError("IMAGE_UNREADABLE", _DAMAGED)
    return np.ascontiguousarray(image, dtype=np.uint8)


def check_header(content: bytes, limits: PictureLimits) -> tuple[int, int]:
    """Return (width, height) as stored, before any EXIF turn, without decoding a pixel.

    Raises:
        PictureError: see `read_picture`.
    """
    if not content:
        raise PictureError("EMPTY_FILE", "The file is empty (0 bytes).")
    if len(content) > limits.bytes:
        raise PictureError("IMAGE_TOO_LARGE", f"The file has {len(content)} bytes; at most {limits.bytes} are taken.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _open(io.BytesIO(content), formats=FORMATS) as header:
                width, height = header.size
                animated = header.format in _ANIMATED and getattr(header, "n_frames", 1) > 1
    except PillowImage.DecompressionBombError as error:
        raise PictureError("IMAGE_TOO_LARGE", f"More pixels than are taken (at most {limits.pixels}).") from error
    except UnidentifiedImageError as error:
        raise _unidentified(content) from error
    except Exception as error:
        raise PictureError("IMAGE_UNREADABLE", "The picture's header is damaged.") from error
    if animated:
        raise PictureError("UNSUPPORTED_IMAGE", "Animated pictures are not taken: send one frame.")
    _check_size(width, height, limits)
    _check_scans(content)
    _check_chunks(content)
    return width, height


def _check_size(width: int, height: int, limits: PictureLimits) -> None:
    longest, shortest = max(width, height), min(width, height)
    if shortest < limits.shortest_side or longest > limits.aspect * shortest:
        raise PictureError(
            "IMAGE_DIMENSIONS",
            f"A picture of {width}x{height} can't be judged: the shortest side needs {limits.shortest_side} pixels "
            f"and the longest may be {limits.aspect:g} times as long.",
        )
    if width * height > limits.pixels or longest > limits.longest_side:
        raise PictureError(
            "IMAGE_TOO_LARGE",
            f"A picture of {width}x{height} is too large: at most {limits.pixels} pixels and "
            f"{limits.longest_side} a side are taken.",
        )


def _check_scans(content: bytes) -> None:
    """Refuse a JPEG whose pixels are gone over for minutes; libtiff has a limit of its own for those in TIFF files.

    What is behind the first image, such as a phone's film, is not looked at.
    """
    if content[:2] != b"\xff\xd8" or content.count(_START_OF_SCAN) <= _SCANS:
        return
    found, place = 0, 0
    for _ in range(_PIECES):
        marker = _MARKER.search(content, place)
        if not marker or marker[1] == _END_OF_IMAGE:
            return
        found += marker[1] == _START_OF_SCAN[1:]
        if found > _SCANS:
            break
        place = marker.end()
        if marker[1] not in _BARE:
            place += int.from_bytes(content[place : place + 2])
    raise PictureError("IMAGE_UNREADABLE", f"More than {_SCANS} scans: save the picture as a plain JPEG.")


def _check_chunks(content: bytes) -> None:
    """Refuse a PNG with a chunk that claims to be longer than what is left: OpenCV takes and clears so much memory."""
    if not content.startswith(_PNG):
        return
    place = len(_PNG)
    for _ in range(_PIECES):
        if content[place + 4 : place + 8] in {b"IEND", b""}:
            return
        place += _CHUNK + int.from_bytes(content[place : place + 4])
        if place > len(content):
            break
    raise PictureError("IMAGE_UNREADABLE", _DAMAGED)


_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")


def _unidentified(content: bytes) -> PictureError:
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if webp or content.startswith(_SIGNATURES):
        return PictureError("IMAGE_UNREADABLE", _DAMAGED)
    return PictureError("UNSUPPORTED_IMAGE", "Not a picture of a kind that is taken: JPEG, PNG, WebP, BMP or TIFF.")
