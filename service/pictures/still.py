"""Pictures that are kept or sent: encoded, cut out, and without what nobody may see."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from service.ports import Image
from service.safety.inference import Box

Polygon = Sequence[tuple[float, float]]
"""Corners relative to the picture, 0..1."""


def jpeg(image: Image, quality: int = 85) -> bytes:
    """Encode a picture as JPEG."""
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def crop(image: Image, box: Box, margin: float = 0.15) -> Image:
    """Cut a person out, with a margin relative to their box; at least one pixel of the picture is left."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    dx, dy = margin * (x2 - x1), margin * (y2 - y1)
    left, top = int(min(max(x1 - dx, 0), width - 1)), int(min(max(y1 - dy, 0), height - 1))
    right, bottom = int(min(max(x2 + dx, left + 1), width)), int(min(max(y2 + dy, top + 1), height))
    return image[top:bottom, left:right]


def black_out(image: Image, polygons: Sequence[Polygon]) -> Image:
    """Return the picture with some parts black; the same picture when there are none."""
    if not polygons:
        return image
    covered = image.copy()
    size = np.array([image.shape[1], image.shape[0]])
    for polygon in polygons:
        cv2.fillPoly(covered, [np.round(np.array(polygon) * size).astype(np.int32)], (0, 0, 0))
    return covered
