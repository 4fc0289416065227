from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.still import black_out, crop, jpeg

HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def test_a_jpeg_is_the_picture() -> None:
    image = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    image = cv2.resize(image, (240, 160))
    decoded = cv2.imdecode(np.frombuffer(jpeg(image), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == image.shape
    assert np.abs(decoded.astype(int) - image).mean() < 8
    assert len(jpeg(image, quality=30)) < len(jpeg(image, quality=95))


def test_a_crop_has_a_margin() -> None:
    image = np.zeros((200, 300, 3), dtype=np.uint8)
    image[50:150, 100:200] = 255
    cut = crop(image, (100, 50, 200, 150), margin=0.1)
    assert cut.shape == (120, 120, 3)
    assert cut[10:110, 10:110].min() == 255
    assert cut[:10].max() == 0


@given(*[st.floats(-500, 800) for _ in range(4)], st.floats(0, 2))
def test_a_crop_is_always_a_picture(x: float, y: float, width: float, height: float, margin: float) -> None:
    """Boxes reach over edges and lie outside; a JPEG of what is cut out can be made all the same."""
    image = np.zeros((200, 300, 3), dtype=np.uint8)
    cut = crop(image, (x, y, x + abs(width) + 0.1, y + abs(height) + 0.1), margin)
    assert cut.shape[0] >= 1
    assert cut.shape[1] >= 1
    assert jpeg(cut)[:2] == b"\xff\xd8"


def test_parts_go_black_and_the_original_stays() -> None:
    image = np.full((100, 200, 3), 200, dtype=np.uint8)
    covered = black_out(image, [HALF, ((0.9, 0.9), (1.0, 0.9), (1.0, 1.0))])
    assert covered[:, :100].max() == 0
    assert covered[50, 150].min() == 200
    assert covered[99, 199].max() == 0
    assert image.min() == 200


def test_nothing_to_cover_is_the_same_picture() -> None:
    image = np.full((10, 10, 3), 200, dtype=np.uint8)
    assert black_out(image, []) is image


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1920, 1080), (33, 77)])
def test_the_whole_picture_can_be_covered(width: int, height: int) -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert black_out(np.full((height, width, 3), 9, dtype=np.uint8), [whole]).max() == 0
