from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.schedule import GAPS, JITTER, LONGEST, next_ms

ids = st.text(max_size=40).map(lambda text: f"msg_{text.encode('utf-8', 'replace').hex()}")
attempts = st.integers(1, len(GAPS))
moments = st.integers(0, 4_000_000_000_000)


@given(ids, attempts, moments)
def test_gap_is_the_tables_within_its_jitter_and_the_same_every_time(message: str, number: int, at_ms: int) -> None:
    again = next_ms(message, number, at_ms)
    assert again is not None
    gap = (again - at_ms) / 1000
    assert (1 - JITTER) * GAPS[number - 1] - 0.001 <= gap <= (1 + JITTER) * GAPS[number - 1] + 0.001
    assert next_ms(message, number, at_ms) == again


@given(ids, attempts, moments, st.floats(0, 1e12))
def test_a_wish_is_honoured_from_the_gap_up_to_an_hour(message: str, number: int, at_ms: int, wish: float) -> None:
    plain, asked = next_ms(message, number, at_ms), next_ms(message, number, at_ms, wish)
    assert plain is not None
    assert asked is not None
    assert asked >= plain
    assert asked - at_ms <= max(1000 * LONGEST, plain - at_ms) + 1
    if (plain - at_ms) / 1000 < wish < LONGEST:
        assert asked == at_ms + round(1000 * wish)


@given(ids, st.integers(len(GAPS) + 1, 10**6), st.none() | st.floats(0, 1e6))
def test_the_end_of_the_table_is_the_end(message: str, number: int, wish: float | None) -> None:
    assert next_ms(message, number, 0, wish) is None


def test_jitter_differs_between_messages_and_attempts_and_uses_its_width() -> None:
    gaps = [next_ms(f"msg_{number}", 4, 0) or 0 for number in range(2000)]
    assert len(set(gaps)) > 1500
    assert min(gaps) < 48_500
    assert max(gaps) > 71_500
    assert abs(sum(gaps) / len(gaps) - 60_000) < 800


def test_a_receiver_that_was_down_up_to_an_hour_waits_minutes_for_its_news_and_is_asked_for_three_days() -> None:
    ends = list(accumulate(GAPS))
    assert max(gap for gap, end in zip(GAPS, ends, strict=True) if end <= 15 * 60) <= 60
    assert max(gap for gap, end in zip(GAPS, ends, strict=True) if end <= 60 * 60) <= 300
    assert max(GAPS) <= 900
    assert 71 * 3600 <= ends[-1] <= 73 * 3600
    assert list(GAPS) == sorted(GAPS)


def test_asks_for_a_failure() -> None:
    with pytest.raises(ValueError, match="attempts is 0"):
        next_ms("msg_1", 0, 0)
