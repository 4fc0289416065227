"""Short films made for tests: each picture is of one grey, so that it can be told from the others."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def film(path: Path, *, pictures: int, rate: float, width: int = 320, height: int = 240) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    assert writer.isOpened()
    for number in range(pictures):
        writer.write(np.full((height, width, 3), 10 + number % 20 * 10, dtype=np.uint8))
    writer.release()
    return path
