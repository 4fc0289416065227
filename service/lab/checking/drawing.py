"""Pictures for the report: the example, cut to what matters, with its boxes."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from service.lab.checking.findings import Example
from service.lab.checking.looking import corners, open_picture
from service.lab.dataset.cards import Card
from service.lab.dataset.records import LabelledBox
from service.ports import Image

WIDTH: Final = 250
_PIXELS: Final = 380
_COLOURS: Final = {
    "helmet": (178, 114, 0),
    "no-helmet": (0, 94, 213),
    "vest": (115, 158, 0),
    "no-vest": (167, 121, 204),
    "person": (66, 228, 240),
}
"""BGR of the palette of Okabe and Ito (2008)."""
_OTHER: Final = (255, 255, 255)
LEGEND: Final = "Boxes: blue helmet, vermilion no-helmet, green vest, pink no-vest, yellow person, white anything else."


def draw(example: Example, card: Card) -> Image:
    """Return the example as it is shown; two pictures stand side by side."""
    shown = _one(example, card)
    if example.beside is None:
        return shown
    pair = (shown, _one(Example(example.beside, ""), card))
    height = max(image.shape[0] for image in pair)
    return np.hstack([_padded(image, height) for image in pair])


def _one(example: Example, card: Card) -> Image:
    image = open_picture(example.picture)
    if image is None:
        return np.zeros((_PIXELS, _PIXELS, 3), np.uint8)
    places = corners(example.boxes)
    left, top, right, bottom = _window(places) if len(places) else (0.0, 0.0, 1.0, 1.0)
    height, width = image.shape[:2]
    cut = image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    scale = _PIXELS / max(cut.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=way).astype(np.uint8, copy=False)
    places = (places - (left, top, left, top)) * (width * scale, height * scale, width * scale, height * scale)
    for box, place in zip(example.boxes, places, strict=True):
        _outline(shown, box, place, card)
    return shown


def _window(places: Any) -> tuple[float, float, float, float]:
    """Return the part of the picture to show: all of it, or what lies around boxes that are small on it."""
    low, high = places[:, :2].min(axis=0), places[:, 2:].max(axis=0)
    side = min(1.0, max(0.25, 2.5 * float((high - low).max())))
    begin = np.clip((low + high) / 2 - side / 2, 0, 1 - side)
    return float(begin[0]), float(begin[1]), float(begin[0]) + side, float(begin[1]) + side


def _outline(image: Image, box: LabelledBox, place: Any, card: Card) -> None:
    name = card.target(box.label) or (box.label if box.label in _COLOURS else None)
    colour = _COLOURS[name] if name else _OTHER
    x1, y1, x2, y2 = (round(float(value)) for value in place)
    cv2.rectangle(image, (x1, y1), (x2, y2), (0, 0, 0), 4)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 2)


def _padded(image: Image, height: int) -> Image:
    """Return the picture in the upper left of a grey one of this height, so that two stand side by side."""
    square = np.full((height, _PIXELS, 3), 128, np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    return square
