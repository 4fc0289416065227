"""Whether a camera sees: made pictures, and any life of a camera in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.glance import glance, hidden_cells
from service.pictures.still import black_out
from service.ports import Image
from service.safety.sight import BACK, GAP, RENEWED, STILL, Sight, SightChange, SightPolicy
from service.safety.view import Glance, detail
from tests.safety.films import moment
from tests.safety.pictures import covered, lit, night, noisy, plain, seen, walking, yard

PLACE = yard()
HERE = seen(PLACE)


def watch(
    sight: Sight, shown: Callable[[float], Image], start: float, end: float, fps: float = 2.0, noise: float = 2.0
) -> Iterator[SightChange]:
    """Show pictures from one second to another, with a sensor's noise unless it is 0."""
    for number in range(round(start * fps), round(end * fps)):
        image = shown(number / fps)
        yield from sight.look(glance(noisy(image, noise, number) if noise else image), moment(number / fps))


def told(changes: Iterator[SightChange]) -> list[tuple[str, bool, float]]:
    return [(change.trouble, change.begins, change.at.seconds) for change in changes]


def after(ordinary: float, shown: Image) -> Callable[[float], Image]:
    return lambda film: HERE if film < ordinary else shown


def test_a_camera_that_sees_is_no_news() -> None:
    sight = Sight()
    assert told(watch(sight, lambda _: HERE, 0, 120)) == []
    assert sight.trouble is None
    assert not sight.stale


def test_copies_of_a_picture_are_frozen_after_ten_seconds_and_over_two_after_a_new_one() -> None:
    sight = Sight()
    assert told(watch(sight, lambda _: HERE, 0, 20)) == []
    assert told(watch(sight, lambda _: HERE, 20, 40, noise=0)) == [("frozen", True, 30.0)]
    assert sight.trouble == ("frozen", moment(20))
    assert sight.stale
    changes = watch(sight, lambda _: HERE, 40, 60)
    assert told(changes) == [("frozen", False, 40 + BACK)]
    assert sight.trouble is None


def test_copies_say_nothing_from_two_seconds_on_and_a_new_picture_does_at_once() -> None:
    sight = Sight()
    list(watch(sight, lambda _: HERE, 0, 5, fps=10))
    stale = []
    for number in range(50, 90):
        sight.look(glance(HERE), moment(number / 10))
        stale.append(sight.stale)
    assert stale.index(True) / 10 == STILL
    assert all(stale[stale.index(True) :])
    sight.look(glance(noisy(HERE, 2, 1)), moment(9))
    assert not sight.stale


def test_a_camera_that_repeats_pictures_for_less_than_a_second_is_not_frozen() -> None:
    """Long exposures at night: two new pictures a second, sent five times a second."""
    sight = Sight()
    changes = [
        change
        for number in range(600)
        for change in sight.look(glance(noisy(HERE, 2, number // 4)), moment(number / 5))
    ]
    assert changes == []


@pytest.mark.parametrize(
    "nothing",
    [plain(0, 0, 0), plain(0, 135, 0), plain(128, 128, 128), plain(255, 255, 255), covered()],
    ids=["black", "green", "grey", "white", "covered"],
)
@pytest.mark.parametrize("noise", [0, 3])
def test_a_picture_of_nothing_is_blind(nothing: Image, noise: int) -> None:
    sight = Sight()
    assert told(watch(sight, lambda _: HERE, 0, 30)) == []
    assert told(watch(sight, lambda _: nothing, 30, 100, noise=noise)) == [("blind", True, 40.0)]
    assert sight.stale
    assert told(watch(sight, lambda _: HERE, 100, 120)) == [("blind", False, 100 + BACK)]
    assert not sight.stale


@pytest.mark.parametrize(
    "something",
    [night(), lit(HERE, 0.08), lit(HERE, 0.15, 120), walking(plain(128, 128, 128), 0.5, 45)],
    ids=["lamps at night", "dusk", "fog", "a person before a wall"],
)
def test_little_light_is_not_blind(something: Image) -> None:
    assert told(watch(Sight(), lambda _: something, 0, 60, noise=3)) == []


def test_a_still_black_picture_is_blind_and_not_frozen_as_well() -> None:
    assert told(watch(Sight(), lambda _: plain(0, 0, 0), 0, 60, noise=0)) == [("blind", True, 10.0)]


@pytest.mark.parametrize(
    ("right", "down"), [(0.08, 0.0), (0.0, 0.1), (0.2, 0.1), (-0.2, 0.0)], ids=["knocked", "sunk", "turned", "left"]
)
def test_another_place_is_moved_after_thirty_seconds(right: float, down: float) -> None:
    sight = Sight()
    assert told(watch(sight, lambda _: HERE, 0, 60)) == []
    assert told(watch(sight, lambda _: seen(PLACE, right, down), 60, 100)) == [("moved", True, 90.0)]
    assert not sight.stale  # people are judged on
    assert told(watch(sight, lambda _: HERE, 100, 130)) == [("moved", False, 110.0)]


@pytest.mark.parametrize(
    "shown",
    [
        lambda film: lit(HERE, 0.3),
        lambda film: lit(HERE, 0.7, 60),
        lambda film: lit(HERE, 0.1 + 0.8 * abs((film % 120) / 60 - 1)),
        lambda film: walking(HERE, film % 10 / 10, 150),
        lambda film: walking(walking(HERE, 0.3, 165), 0.6, 165),
        lambda film: seen(PLACE, 0.005 * (film % 2)),
    ],
    ids=["lights out", "sun", "clouds", "somebody walks", "two stand near", "wind"],
)
def test_light_people_and_wind_are_not_moved(shown: Callable[[float], Image]) -> None:
    sight = Sight()
    assert told(watch(sight, lambda _: HERE, 0, 60)) == []
    assert told(watch(sight, shown, 60, 240)) == []


def test_a_vehicle_that_hides_half_the_picture_is_not_moved() -> None:
    lorry = HERE.copy()
    lorry[20:, : lorry.shape[1] // 2] = 180
    sight = Sight()
    list(watch(sight, lambda _: HERE, 0, 60))
    assert told(watch(sight, lambda _: lorry, 60, 180)) == []


def test_what_a_moved_camera_shows_is_its_view_after_half_an_hour() -> None:
    there = seen(PLACE, 0.2)
    sight = Sight()
    list(watch(sight, lambda _: HERE, 0, 60))
    changes = told(watch(sight, lambda _: there, 60, 60 + RENEWED + 120, fps=0.5))
    assert [(trouble, begins) for trouble, begins, _ in changes] == [("moved", True), ("moved", False)]
    assert changes[1][2] == pytest.approx(90 + RENEWED + 20, abs=6)
    assert [one[:2] for one in told(watch(sight, lambda _: HERE, 2000, 2050))] == [("moved", True)]


def test_what_was_told_before_a_restart_is_over_once_the_camera_sees() -> None:
    sight = Sight()
    sight.restore(["moved", "offline"], moment(0))
    assert sight.trouble == ("moved", moment(0))
    assert [one[:2] for one in told(watch(sight, lambda _: HERE, 0, 60))] == [("moved", False)]
    frozen = Sight()
    frozen.restore(["frozen"], moment(0))
    assert told(watch(frozen, lambda _: HERE, 0, 60, noise=0)) == []
    assert told(watch(frozen, lambda _: HERE, 60, 70)) == [("frozen", False, 62.0)]


def test_null_never_tells() -> None:
    sight = Sight(SightPolicy(frozen_after=None, blind_after=None, moved_after=None))
    sight.restore(["blind"], moment(0))
    assert told(watch(sight, lambda _: HERE, 0, 30)) == []
    assert told(watch(sight, lambda _: plain(0, 0, 0), 30, 90, noise=0)) == []
    assert told(watch(sight, lambda _: seen(PLACE, 0.2), 90, 200)) == []
    assert not sight.stale


def test_what_a_zone_ignores_is_no_detail_and_no_edge() -> None:
    ignored = [((0.3, 0.3), (0.6, 0.3), (0.6, 0.8), (0.3, 0.8))]
    grey = black_out(plain(128, 128, 128), ignored)
    assert detail(glance(grey)) > 3
    hidden = hidden_cells(320, 180, ignored)
    assert hidden is not None
    assert 0 < hidden.mean() < 0.2
    assert detail(glance(grey, hidden)) == 0
    assert hidden_cells(320, 180, []) is None


NOTHING = Glance(np.zeros((36, 64), np.uint8), 0)
SOMETHING = np.random.default_rng(3).integers(0, 255, (36, 64), dtype=np.uint8)
OTHER = np.random.default_rng(4).integers(0, 255, (36, 64), dtype=np.uint8)

stretches = st.lists(
    st.tuples(st.sampled_from(["sees", "copies", "nothing", "elsewhere"]), st.floats(0.2, 40)), min_size=1, max_size=8
)


def played(life: list[tuple[str, float]], fps: float) -> list[tuple[float, str]]:
    """(second, what is shown) of a life."""
    shown, begins = [], 0.0
    for what, seconds in life:
        shown += [(begins + number / fps, what) for number in range(max(1, round(seconds * fps)))]
        begins = shown[-1][0] + 1 / fps
    return shown


@given(stretches, st.sampled_from([1.0, 2.5]))
def test_no_flapping_whatever_a_camera_shows(life: list[tuple[str, float]], fps: float) -> None:
    """Each trouble begins only when it has lasted, ends only when it has not for `BACK`, and by turns."""
    sight, changes, copy = Sight(), [], 0
    shown = played(life, fps)
    for number, (second, what) in enumerate(shown):
        copy = copy if what == "copies" else number + 1
        look = {"nothing": NOTHING, "elsewhere": Glance(OTHER, copy)}.get(what, Glance(SOMETHING, copy))
        changes += sight.look(look, moment(second))
    policy = {"frozen": (10.0, BACK), "blind": (10.0, BACK), "moved": (30.0, 10.0)}
    for trouble, (lasts, back) in policy.items():
        mine = [change for change in changes if change.trouble == trouble]
        assert [change.begins for change in mine] == [number % 2 == 0 for number in range(len(mine))]
        for change in mine:
            if change.begins:
                assert change.at.since(change.since) >= lasts - 1e-6
        for one, next_one in pairwise(mine):
            assert next_one.at.since(one.at) >= (back if one.begins else lasts - 2) - 1e-6
    longest = max((seconds for what, seconds in life if what == "nothing"), default=0.0)
    if longest > 12:
        assert any(change.trouble == "blind" for change in changes)


@given(st.floats(0.0, 9.4), st.floats(GAP + 0.1, 60))
def test_what_was_beginning_begins_anew_after_an_outage(before: float, gap: float) -> None:
    sight = Sight()
    sight.look(Glance(SOMETHING, 1), moment(0))
    sight.look(NOTHING, moment(0.5))
    assert not sight.look(NOTHING, moment(0.5 + min(before, GAP - 0.1)))
    back = 0.5 + before + gap
    assert not sight.look(NOTHING, moment(back))
    assert sight.trouble is None
