"""Made pictures of a yard, as a fixed camera sees it: light, noise, people, and what keeps it from seeing."""

from __future__ import annotations

import cv2
import numpy as np

from service.ports import Image

WIDTH, HEIGHT = 320, 180
_NOISE = np.random.default_rng(1).standard_normal((2 * HEIGHT, 2 * WIDTH, 3), np.float32)


def yard(seed: int = 7) -> Image:
    """A place with structure all over: boxes, poles and containers on sand."""
    random = np.random.default_rng(seed)
    image = np.full((HEIGHT * 2, WIDTH * 2, 3), 150, np.uint8)
    for _ in range(220):
        x, y = random.integers(0, WIDTH * 2), random.integers(0, HEIGHT * 2)
        w, h = random.integers(5, 55, 2)
        shade = tuple(int(value) for value in random.integers(20, 235, 3))
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), shade, -1)
    return image


def seen(place: Image, right: float = 0.0, down: float = 0.0) -> Image:
    """What the camera shows of a place, turned by so much of the picture's width and height."""
    left, top = round((0.25 + right) * WIDTH), round((0.25 + down) * HEIGHT)
    return np.ascontiguousarray(place[top : top + HEIGHT, left : left + WIDTH])


def noisy(image: Image, sigma: float, number: int) -> Image:
    """With a sensor's noise, another for each number."""
    row, column = number * 37 % HEIGHT, number * 53 % WIDTH
    noise = sigma * _NOISE[row : row + image.shape[0], column : column + image.shape[1]]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def lit(image: Image, share: float, more: float = 0.0) -> Image:
    """In other light."""
    return np.clip(image * share + more, 0, 255).astype(np.uint8)


def walking(image: Image, x: float, height: int = 100) -> Image:
    """With a person whose middle is at a share of the width."""
    people = image.copy()
    middle, foot = round(x * WIDTH), HEIGHT - 10
    cv2.rectangle(people, (middle - height // 6, foot - height), (middle + height // 6, foot), (60, 40, 200), -1)
    cv2.circle(people, (middle, foot - height), height // 8, (90, 150, 220), -1)
    return people


def plain(blue: int, green: int, red: int) -> Image:
    """Of one colour."""
    return np.full((HEIGHT, WIDTH, 3), (blue, green, red), np.uint8)


def covered() -> Image:
    """A hand before the lens: some light comes in at one side, and nothing is sharp."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    glow = 90 * np.exp(-((x - 0.8 * WIDTH) ** 2 + (y - 0.4 * HEIGHT) ** 2) / (2 * (0.3 * WIDTH) ** 2))
    return np.repeat(glow[..., None], 3, axis=2).astype(np.uint8)


def night() -> Image:
    """Three lamps in the dark."""
    image = plain(8, 8, 8)
    for x, y in ((0.2, 0.3), (0.7, 0.25), (0.5, 0.6)):
        cv2.circle(image, (round(x * WIDTH), round(y * HEIGHT)), 2, (255, 255, 255), -1)
    return image
