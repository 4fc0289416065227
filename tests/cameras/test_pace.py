from __future__ import annotations

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.cameras.pace import STEPS, Pace, delays

gaps = st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200)
rates = st.floats(0.2, 30)


def test_without_jitter_the_back_off_is_1_2_4_ten_times_5_then_30() -> None:
    assert list(islice(delays(lambda: 0.5), 15)) == [1, 2, 4, *[5] * 10, 30, 30]


def test_in_the_first_minute_no_pause_keeps_a_camera_waiting_for_ten_seconds() -> None:
    away, longest = 0.0, 0.0
    for delay in delays(lambda: 0.999):  # the longest pauses, and attempts that take no time
        if away >= 60:
            break
        away, longest = away + delay, max(longest, delay)
    assert longest < 7


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_jitter_stays_within_a_fifth(jitter: list[float]) -> None:
    numbers = iter(jitter)
    for attempt, delay in enumerate(islice(delays(lambda: next(numbers)), len(jitter))):
        step = STEPS[min(attempt, len(STEPS) - 1)]
        assert 0.8 * step - 1e-9 <= delay <= 1.2 * step + 1e-9


@given(gaps, rates)
def test_of_any_stretch_never_more_than_fps_times_its_seconds_and_one(gaps: list[float], fps: float) -> None:
    pace, now, taken = Pace(fps), 100.0, []
    for gap in gaps:
        now += gap
        if pace.takes(now):
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= (taken[last] - taken[first] + 0.5 / fps) * fps + 1.5


def test_15_frames_a_second_become_5_evenly() -> None:
    pace = Pace(5)
    taken = [k for k in range(150) if pace.takes(7 + k / 15 + 0.008 * (k % 3 - 1))]
    assert {b - a for a, b in pairwise(taken)} == {3}


@given(st.floats(1, 30), st.floats(1, 3), st.floats(0, 1))
def test_whatever_rate_comes_the_asked_one_is_handed_out(fps: float, faster: float, begin: float) -> None:
    """Also where it is not a whole part of what comes: 4.2 a second of 5, 5 of 7."""
    pace, arriving = Pace(fps), fps * faster
    taken = sum(pace.takes(begin + k / arriving) for k in range(round(60 * arriving)))
    assert 0.97 * 60 * fps <= taken <= 60 * fps + 2


def test_a_camera_slower_than_the_rate_gives_every_frame() -> None:
    pace = Pace(5)
    assert all(pace.takes(k * 0.5) for k in range(20))
