"""Pictures made for the tests, and the detector function that reads what is on them.

A scene is a grey ground with one person: a dark body, a white helmet on it and a black vest. They differ in brightness
only, so that greyscale, palette and CMYK versions show the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage

from service.ports import Image
from service.safety.detections import Detections, empty
from service.safety.equipment import CLASS_ID

GROUND, BODY, HELMET, VEST = 150, 90, 250, 10


@dataclass(frozen=True)
class Scene:
    """Where the person stands; all in pixels, multiples of 8 so that JPEG's blocks end at the edges."""

    width: int = 640
    height: int = 480
    left: int = 200
    top: int = 80

    def pixels(self) -> Image:
        """Return it as (height, width, 3) uint8."""
        picture = np.full((self.height, self.width, 3), GROUND, dtype=np.uint8)
        for (x1, y1, x2, y2), value in zip(self.boxes(), (BODY, HELMET, VEST), strict=True):
            picture[y1:y2, x1:x2] = value
        return picture

    def boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        """Return the boxes of the person, the helmet and the vest."""
        x, y = self.left, self.top
        return (x, y, x + 120, y + 320), (x + 40, y, x + 80, y + 48), (x + 16, y + 80, x + 104, y + 176)

    def pillow(self) -> PillowImage.Image:
        """Return it as Pillow holds pictures."""
        return PillowImage.fromarray(self.pixels())

    def encoded(self, kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
        """Return it as a file."""
        picture = self.pillow()
        return encode(picture.quantize(256) if mode == "P" else picture.convert(mode), kind, **options)


def encode(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    if kind in {"JPEG", "WEBP"}:
        options.setdefault("quality", 95)
    picture.save(file, kind, **options)
    return file.getvalue()


def see(image: Image) -> Detections:
    """Find the person, the helmet and the vest of a scene by their brightness."""
    height, width = image.shape[:2]
    light = image.astype(np.int16).mean(axis=2)
    masks = {
        "person": np.abs(light - GROUND) > 30,
        "helmet": light > (HELMET + GROUND) / 2,
        "vest": light < (BODY + VEST) / 2,
    }
    found = [(name, box) for name, mask in masks.items() if (box := _around(mask)) is not None]
    if not found:
        return empty(width, height)
    confidence = [{"person": 0.9, "helmet": 0.8, "vest": 0.7}[name] for name, _ in found]
    boxes = np.array([box for _, box in found], dtype=np.float32)
    return Detections(boxes, confidence, [CLASS_ID[name] for name, _ in found], width, height)


def _around(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """Return the box around the pixels that are set, stray ones left out."""
    columns, rows = np.flatnonzero(mask.sum(axis=0) > 8), np.flatnonzero(mask.sum(axis=1) > 8)
    if not len(columns) or not len(rows):
        return None
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


TURNS = {
    1: None,
    2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
    3: PillowImage.Transpose.ROTATE_180,
    4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
    5: PillowImage.Transpose.TRANSPOSE,
    6: PillowImage.Transpose.ROTATE_90,
    7: PillowImage.Transpose.TRANSVERSE,
    8: PillowImage.Transpose.ROTATE_270,
}
"""How the upright picture is stored under each EXIF orientation (the viewer turns it back)."""


def turned(scene: Scene, orientation: int) -> bytes:
    """Return a scene as a JPEG that is stored turned, with the EXIF orientation that says so."""
    turn = TURNS[orientation]
    picture = scene.pillow() if turn is None else scene.pillow().transpose(turn)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    return encode(picture, "JPEG", exif=exif)


def png(width: int, height: int, rows: bytes, *, depth: int = 1, colour: int = 0, before: bytes = b"") -> bytes:
    """Return a PNG of already filtered rows; `before` holds chunks that come before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + pixels + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return one PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_16_bit(scene: Scene) -> bytes:
    """Return a scene as a colour PNG of 16 bits a channel, which Pillow can't write."""
    deep = (scene.pixels().astype(">u2") * 257).reshape(scene.height, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    return png(scene.width, scene.height, rows, depth=16, colour=2)


def png_flood(side: int) -> bytes:
    """Return a small PNG that unpacks to `side` x `side` pixels."""
    return png(side, side, bytes((side // 8 + 1) * side))


def text_bomb() -> bytes:
    """Return a small PNG whose text chunk unpacks to 50 MB."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50 * 2**20), 9))
    return png(64, 64, bytes(9 * 64), before=text)


def claims_size(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header claims another size."""
    at = next(index for marker in (b"\xff\xc0", b"\xff\xc2") if (index := jpeg.find(marker)) >= 0)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def animated(kind: str) -> bytes:
    """Return three frames in one file."""
    frames = [PillowImage.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 90, 180)]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
