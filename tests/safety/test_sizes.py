"""Heights against what a model needs: shares within bins, ways to look, and which of them helps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.detectors.ways import ways
from service.safety.sizes import Sizes, share_from, sizes, under
from service.safety.thresholds import Thresholds

SHAPES = ((640, 640), (384, 640), (640, 384))
NEEDS = Thresholds(minimum_height={"helmet": 60, "vest": 45})


def on(heights: dict[int, int], width: int = 1920, height: int = 1080, seconds: float = 600) -> Sizes:
    options = ways(width, height, SHAPES, (1, 2, 3))
    return sizes(heights, seconds, NEEDS, (1, *options[1]), options)


def test_shares_and_heights_within_a_bin_are_spread_evenly() -> None:
    assert share_from({40: 10, 50: 10}, 45) == pytest.approx(0.75)
    assert (share_from({40: 10}, 40), share_from({40: 10}, 50), share_from({}, 40)) == (1, 0, 0)
    assert under({40: 10, 60: 10}, 0.75) == pytest.approx(65)
    assert under({}, 0.5) == 0


def test_tiles_enlarge_far_people_and_cost_their_looks() -> None:
    found = on({40: 50, 50: 50})
    assert found.now.scale == pytest.approx(1 / 3)
    assert (found.now.cost, [way.cost for way in found.others]) == (1, [3, 7])
    assert [way.scale / found.now.scale for way in found.others] == pytest.approx([1.8, 2.55], abs=0.06)
    assert found.now.share == {"helmet": 0, "vest": pytest.approx(0.75)}
    assert found.better is not None
    assert (found.better.tiles, found.better.is_enough) == (2, True)


def test_nobody_gets_more_pixels_than_they_have() -> None:
    found = on({40: 50}, 640, 360)
    assert [way.scale for way in found.others] == pytest.approx([1, 1])
    assert (found.better, found.now.is_enough) == (None, False)
    enlarged = ways(320, 180, SHAPES, (1, 2))
    assert enlarged[1][1] == enlarged[2][1] == 2


def test_too_few_people_say_nothing() -> None:
    assert not on({40: 50}, seconds=59).is_known
    assert not on({}, seconds=600).is_known
    assert on({40: 50}).is_known


@given(st.dictionaries(st.integers(0, 60).map(lambda low: 10 * low), st.integers(1, 1000), min_size=1))
def test_looking_closer_never_takes_anybody_away(heights: dict[int, int]) -> None:
    found = on(heights)
    assert found.small <= found.typical <= found.large
    for way in found.others:
        assert all(way.share[one] >= found.now.share[one] - 1e-9 for one in way.share)
        assert all(0 <= share <= 1 + 1e-9 for share in way.share.values())
