from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.worker.shares import LEAST, PRIORITIES, Claim, allot, asked

CLAIMS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.builds(Claim, st.floats(1, 30), st.sampled_from(PRIORITIES), st.sampled_from([1.0, 3.0, 7.0])),
    min_size=1,
    max_size=12,
)


@given(CLAIMS, st.floats(0, 500))
def test_nobody_gets_more_than_asked_nor_less_than_the_least(claims: dict[str, Claim], looks: float) -> None:
    shares = allot(claims, looks)
    assert all(min(LEAST, claims[one].fps) <= fps <= claims[one].fps for one, fps in shares.items())
    assert shares.keys() == claims.keys()


@given(CLAIMS, st.floats(0, 500))
def test_all_is_shared_out_and_no_more_but_for_what_everybody_keeps(claims: dict[str, Claim], looks: float) -> None:
    shares = allot(claims, looks)
    used = sum(fps * claims[one].cost for one, fps in shares.items())
    floor = sum(min(LEAST, claim.fps) * claim.cost for claim in claims.values())
    assert used == pytest.approx(min(max(looks, floor), asked(claims.values())))


@given(CLAIMS, st.floats(0, 500))
def test_who_comes_first_waits_for_nobody_who_comes_later(claims: dict[str, Claim], looks: float) -> None:
    shares = allot(claims, looks)
    for one, claim in claims.items():
        for other, its in claims.items():
            earlier = PRIORITIES.index(claim.priority) < PRIORITIES.index(its.priority)
            above_the_least = shares[other] > min(LEAST, its.fps) + 1e-9
            assert not (earlier and above_the_least) or shares[one] == pytest.approx(claim.fps)
            equal = claim.priority == its.priority
            assert not equal or shares[one] >= min(shares[other], claim.fps) - 1e-9


def test_the_lowest_priority_gives_way_first() -> None:
    claims = {"gate": Claim(5, "high"), "yard": Claim(5), "roof": Claim(5), "lane": Claim(5, "low")}
    assert allot(claims, 20) == {"gate": 5, "yard": 5, "roof": 5, "lane": 5}
    assert allot(claims, 17) == {"gate": 5, "yard": 5, "roof": 5, "lane": 2}
    assert allot(claims, 12) == {"gate": 5, "yard": 3, "roof": 3, "lane": 1}
    assert allot(claims, 5) == {"gate": 2, "yard": 1, "roof": 1, "lane": 1}
