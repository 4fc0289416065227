"""A 1080p photograph to measure with: made from one that an installed package ships, so that nobody needs a picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

SOURCE = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def photo(width: int, height: int, quality: int = 88) -> bytes:
    """Return a JPEG of this size with a person in it and a camera's noise (about 430 kB at 1920x1080)."""
    portrait = cv2.imread(str(SOURCE))
    scale = height / portrait.shape[0]
    person = cv2.resize(portrait, None, fx=scale, fy=scale)
    scene = cv2.resize(cv2.GaussianBlur(portrait, (0, 0), 9), (width, height))
    left = max(0, (width - person.shape[1]) // 2)
    visible = person[:, : width - left]
    scene[:, left : left + visible.shape[1]] = visible
    noise = np.random.default_rng(1).normal(0, 5, scene.shape)
    noisy = np.clip(scene + noise, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
