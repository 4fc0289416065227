"""A drawn yard with drawn workers, and a detector that finds them by their colours: what it sees is what is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from service.ports import Image
from service.safety.detections import Detections
from tests.safety.scenes import Row, head_of, person_at, scene, torso_of

SIZE = (960, 540)
_ORANGE, _BLUE, _YELLOW, _SKIN, _DARK = (0, 120, 250), (190, 80, 30), (0, 220, 250), (110, 150, 230), (110, 45, 20)
_COLOURFUL = 95


@dataclass(frozen=True)
class Worker:
    """Somebody in the yard: where their feet are and how tall they look, relative to the picture's size."""

    x: float
    y: float = 0.92
    tall: float = 0.5
    helmet: bool = True
    vest: bool = True


def yard(size: tuple[int, int] = SIZE) -> Image:
    """Draw the place: all greys, so that nothing of it is taken for somebody."""
    width, height = size
    image = np.full((height, width, 3), 196, np.uint8)
    image[: int(0.45 * height)] = np.linspace(214, 236, int(0.45 * height), dtype=np.uint8)[:, None, None]

    def box(x1: float, y1: float, x2: float, y2: float, grey: int) -> None:
        cv2.rectangle(
            image, (int(x1 * width), int(y1 * height)), (int(x2 * width), int(y2 * height)), (grey,) * 3, cv2.FILLED
        )

    box(0.05, 0.14, 0.34, 0.46, 150)
    for column in range(5):
        for row in range(3):
            box(0.075 + column * 0.053, 0.18 + row * 0.09, 0.105 + column * 0.053, 0.23 + row * 0.09, 88)
    box(0.55, 0.24, 0.97, 0.46, 168)
    for pole in range(7):
        box(0.55 + pole * 0.069, 0.12, 0.556 + pole * 0.069, 0.46, 92)
    for deck in range(3):
        box(0.54, 0.17 + deck * 0.1, 0.98, 0.185 + deck * 0.1, 112)
    box(0, 0.455, 1, 0.47, 128)
    for stack in range(4):
        box(0.4, 0.43 - stack * 0.03, 0.5 - stack * 0.012, 0.455 - stack * 0.03, 120 + stack * 12)
    for line in range(6):
        box(0, 0.53 + line * line * 0.018, 1, 0.533 + line * line * 0.018, 182)
    return image


def with_workers(image: Image, *workers: Worker) -> Image:
    """Draw workers into a copy of a place."""
    drawn = image.copy()
    height, width = drawn.shape[:2]
    for one in workers:
        tall = one.tall * height
        left, top, wide = one.x * width - tall / 6, one.y * height - tall, tall / 3

        def part(
            x1: float, y1: float, x2: float, y2: float, colour: tuple[int, int, int], at: tuple[float, ...]
        ) -> None:
            x, y, w, h = at
            corners = (round(x + x1 * w), round(y + y1 * h)), (round(x + x2 * w), round(y + y2 * h))
            cv2.rectangle(drawn, *corners, colour, cv2.FILLED, cv2.LINE_AA)

        at = (left, top, wide, tall)
        part(0.34, 0.06, 0.66, 0.17, _SKIN, at)
        part(0.29, 0.0, 0.71, 0.08, _YELLOW if one.helmet else _SKIN, at)
        part(0.02, 0.18, 0.98, 0.55, _ORANGE if one.vest else _BLUE, at)
        part(0.14, 0.55, 0.46, 1.0, _DARK, at)
        part(0.54, 0.55, 0.86, 1.0, _DARK, at)
        part(0.40, 0.55, 0.60, 0.62, _DARK, at)
    return drawn


def filmed(image: Image, pictures: int = 5) -> list[bytes]:
    """Return JPEGs of one moment as a sensor takes them: each with noise of its own, so that none is a copy."""
    random = np.random.default_rng(7)
    noise = random.normal(0, 1.5, (pictures, *image.shape[:2], 1))
    noisy = (np.clip(image + one, 0, 255).astype(np.uint8) for one in noise)
    return [cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes() for one in noisy]


def found(image: Image) -> Detections:
    """See the drawn workers: a person is a patch of colour; the colours of head and torso say what is worn."""
    height, width = image.shape[:2]
    tones = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    mask = ((tones[..., 1] > _COLOURFUL) & (tones[..., 2] > 40)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    rows: list[Row] = []
    count, _, patches, _ = cv2.connectedComponentsWithStats(mask)
    for index in range(1, count):
        x, y, w, h = (int(one) for one in patches[index][:4])
        if h < 40 or not 0.2 < w / h < 0.6:
            continue
        person = person_at(x, y, w, h, confidence=0.9)
        top = _hue(tones[y : y + h // 14, x + w // 3 : x + 2 * w // 3])
        torso = _hue(tones[y + h // 4 : y + h // 2, x + w // 4 : x + 3 * w // 4])
        rows += [
            person,
            head_of(person, "helmet" if 22 < top < 40 else "no-helmet"),
            torso_of(person, "vest" if torso < 40 else "no-vest"),
        ]
    return scene(*rows, width=width, height=height)


def _hue(tones: Image) -> float:
    return float(np.median(tones[..., 0]))
