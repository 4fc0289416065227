"""Bytes become an upright picture, or are refused with a stable code before they cost anything.

The header is read first, against an allow-list of formats, so that a 48 kB file that unpacks to 2 GB costs a
millisecond. OpenCV decodes (and turns the picture upright by its EXIF orientation); Pillow reads headers only.
"""

from __future__ import annotations

import io
import os
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
        raise PictureError("IMAGE_UNREADABLE", "The picture is damaged or cut short: send the whole file again.")
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


_SIGNATURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")


def _unidentified(content: bytes) -> PictureError:
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if webp or content.startswith(_SIGNATURES):
        return PictureError("IMAGE_UNREADABLE", "The picture is damaged or cut short: send the whole file again.")
    return PictureError("UNSUPPORTED_IMAGE", "Not a picture of a kind that is taken: JPEG, PNG, WebP, BMP or TIFF.")
