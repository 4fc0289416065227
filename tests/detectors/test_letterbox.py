from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.detectors.letterbox import PAD, best_shape, letterbox

SHAPES = ((640, 640), (480, 640), (384, 640), (640, 480), (640, 384))


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((1920, 1080), (384, 640)),
        ((1080, 1920), (640, 384)),
        ((640, 480), (480, 640)),
        ((480, 640), (640, 480)),
        ((500, 500), (640, 640)),
        ((3000, 100), (384, 640)),
    ],
)
def test_takes_the_shape_with_least_padding(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert best_shape(*size, SHAPES) == shape


@given(st.integers(16, 900), st.integers(16, 900))
def test_fills_the_shape_and_brings_corners_back(width: int, height: int) -> None:
    shape = best_shape(width, height, SHAPES)
    placed, fit = letterbox(np.zeros((height, width, 3), np.uint8), shape)
    assert placed.shape == (*shape, 3)
    inside = placed[:, :, 0] != PAD
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    corners = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)
    pixel = 1 / fit.scale
    assert fit.back(corners, width, height)[0] == pytest.approx([0, 0, width, height], abs=pixel)


@given(st.integers(32, 800), st.integers(32, 800), st.tuples(*[st.floats(0, 1)] * 4))
def test_there_and_back_is_the_same_box(width: int, height: int, part: tuple[float, float, float, float]) -> None:
    _, fit = letterbox(np.zeros((height, width, 3), np.uint8), (384, 640))
    box = np.array([[part[0] * width, part[1] * height, part[2] * width, part[3] * height]], np.float32)
    there = box * fit.scale + np.array([fit.left, fit.top, fit.left, fit.top], np.float32)
    assert fit.back(there.astype(np.float32), width, height)[0] == pytest.approx(box[0], abs=0.05)
