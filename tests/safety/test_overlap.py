"""Intersection over union, against sums that anybody can do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.safety.overlap import iou

Box = tuple[float, float, float, float]


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.integers(-50, 50)), draw(st.integers(-50, 50))
    return x, y, x + draw(st.integers(1, 60)), y + draw(st.integers(1, 60))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 8, 8), 0.36),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (30, 30, 40, 40), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
    ids=["same", "half beside", "inside", "touching", "apart", "empty"],
)
def test_known_overlaps(one: Box, other: Box, expected: float) -> None:
    assert iou([one], [other]) == pytest.approx(np.array([[expected]]))


def test_every_box_meets_every_other() -> None:
    found = iou([(0, 0, 10, 10), (20, 20, 30, 30)], [(0, 0, 10, 10), (20, 20, 30, 30), (0, 0, 10, 5)])
    assert found == pytest.approx(np.array([[1, 0, 0.5], [0, 1, 0]]))


def test_nobody_overlaps_nobody() -> None:
    assert iou([], [(0, 0, 1, 1)]).shape == (0, 1)
    assert iou([(0, 0, 1, 1)], []).shape == (1, 0)
    assert iou([], []).shape == (0, 0)


@given(boxes(), boxes(), st.integers(-40, 40), st.sampled_from([0.5, 2.0, 16.0]))
def test_it_is_a_share_that_neither_order_nor_place_nor_size_changes(
    one: Box, other: Box, moved: int, scale: float
) -> None:
    share = iou([one], [other])[0, 0]
    assert 0 <= share <= 1
    assert share == iou([other], [one])[0, 0]
    elsewhere = [tuple((value + moved) * scale for value in box) for box in (one, other)]
    assert iou(elsewhere[:1], elsewhere[1:])[0, 0] == pytest.approx(share)


@given(boxes(), boxes())
def test_it_is_one_only_for_the_same_box(one: Box, other: Box) -> None:
    assert (iou([one], [other])[0, 0] == 1) == (one == other)


@given(boxes(), boxes())
def test_it_counts_pixels(one: Box, other: Box) -> None:
    def pixels(box: Box) -> set[tuple[int, int]]:
        x1, y1, x2, y2 = map(int, box)
        return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}

    expected = len(pixels(one) & pixels(other)) / len(pixels(one) | pixels(other))
    assert iou([one], [other])[0, 0] == pytest.approx(expected)
