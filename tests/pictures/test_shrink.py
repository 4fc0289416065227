"""Pictures that are made smaller: the size that is asked for, and the same picture."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.shrink import shrunk

SIDES = st.integers(1, 200)


@given(wide=SIDES, high=SIDES, width=SIDES, height=SIDES)
def test_has_the_size_that_is_asked_for_and_its_colour(wide: int, high: int, width: int, height: int) -> None:
    small = shrunk(np.full((high, wide, 3), (10, 120, 250), np.uint8), width, height)
    assert small.shape == (height, width, 3)
    assert (small == (10, 120, 250)).all()


@given(wide=st.integers(400, 700), high=st.integers(300, 500), part=st.floats(0.15, 0.95))
def test_shows_what_averaging_shows(wide: int, high: int, part: float) -> None:
    scene = np.zeros((high, wide, 3), np.uint8)
    cv2.rectangle(scene, (wide // 4, high // 4), (wide // 2, high // 2), (40, 200, 90), -1)
    cv2.circle(scene, (2 * wide // 3, 2 * high // 3), high // 6, (220, 30, 140), -1)
    size = round(wide * part), round(high * part)
    averaged = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk(scene, *size).astype(int) - averaged).mean() < 3


def test_an_image_of_the_size_that_is_wanted_is_left_as_it_is() -> None:
    scene = np.zeros((9, 16, 3), np.uint8)
    assert shrunk(scene, 16, 9) is scene
