"""Pictures as a poor camera shows them: some of them, each in one way, and never outside what a picture can be."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.lab import degrading
from service.lab.degrading import degrade

torch: Any = pytest.importorskip("torch", reason="needs torch (the extra train)")


def pictures(count: int = 8, height: int = 24, width: int = 40) -> Any:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 2**32), height=st.integers(1, 40), width=st.integers(1, 40))
def test_a_batch_keeps_its_shape_and_range(share: float, seed: int, height: int, width: int) -> None:
    given_ = pictures(4, height, width)
    before = given_.clone()
    spoilt = degrade(given_, share, random.Random(seed))
    assert spoilt.shape == given_.shape
    assert bool(((spoilt >= 0) & (spoilt <= 1)).all())
    assert torch.equal(given_, before)


def test_the_share_is_of_the_pictures() -> None:
    given_ = pictures(400, 8, 8)
    changed = sum(not torch.equal(*pair) for pair in zip(given_, degrade(given_, 0.25, random.Random(3)), strict=True))
    assert 70 <= changed <= 130
    assert degrade(given_, 0, random.Random(3)) is given_


def test_one_seed_is_one_batch() -> None:
    """The noise itself is torch's, which a run seeds too."""
    given_ = pictures()
    torch.manual_seed(1)
    first = degrade(given_, 1, random.Random(5))
    torch.manual_seed(1)
    assert torch.equal(first, degrade(given_, 1, random.Random(5)))


@pytest.mark.parametrize("way", degrading.WAYS, ids=lambda way: way.__name__.strip("_"))
def test_each_way_does_what_its_name_says(way: Callable[[Any, random.Random], Any]) -> None:
    image = pictures(1, 64, 64)
    spoilt = way(image, random.Random(7))

    def detail(shown: Any) -> float:
        return float(shown.diff(dim=3).abs().mean() + shown.diff(dim=2).abs().mean())

    done = {
        "_coarse": detail(spoilt) < 0.6 * detail(image),
        "_blurred": detail(spoilt) < 0.9 * detail(image),
        "_noisy": 0.005 < float((spoilt - image).std()) < 0.07,
        "_dark": float(spoilt.mean()) < 0.9 * float(image.mean()),
        "_grey": torch.equal(spoilt[:, 0], spoilt[:, 1]) and torch.equal(spoilt[:, 1], spoilt[:, 2]),
    }
    assert done[way.__name__]
