"""The counting rule, cell by cell, on pictures made by hand."""

from __future__ import annotations

import math
import random
from dataclasses import asdict
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.counting import Judged, Tally, count, tallies, wilson
from service.lab.truth import TruthPerson, TruthPicture
from service.lab.truth_review.decisions import Judgement
from service.safety.inference import Box
from service.safety.wearing import Sighting
from tests.lab.people import STATES, judged, person, said

HERE: Box = (100, 100, 200, 400)
NEAR: Box = (110, 110, 205, 405)
FAR: Box = (600, 100, 700, 400)


def cells(tally: Tally) -> dict[str, int]:
    """Return the counts that are not 0."""
    return {name: number for name, number in asdict(tally).items() if number}


@pytest.mark.parametrize(
    ("truth", "sightings", "expected"),
    [
        ([person(HERE, "missing")], [said(NEAR, "missing")], {"true_positive": 1}),
        ([person(HERE, "missing")], [said(NEAR, "worn")], {"missed_worn": 1}),
        ([person(HERE, "missing")], [said(NEAR, "unknown")], {"missed_unknown": 1}),
        ([person(HERE, "missing")], [], {"missed_not_found": 1}),
        ([person(HERE, "missing")], [said(FAR, "worn")], {"missed_not_found": 1}),
        ([person(HERE, "missing")], [said(FAR, "missing")], {"missed_not_found": 1, "false_positive": 1}),
        ([person(HERE, "worn")], [said(NEAR, "missing")], {"false_positive": 1, "worn": 1}),
        ([person(HERE, "worn")], [said(NEAR, "worn")], {"worn": 1}),
        ([person(HERE, "worn")], [said(NEAR, "unknown")], {"worn": 1, "worn_unknown": 1}),
        ([person(HERE, "worn")], [], {"worn": 1}),
        ([], [said(FAR, "missing")], {"false_positive": 1}),
        ([], [said(FAR, "worn")], {}),
        ([], [said(FAR, "unknown")], {}),
        ([person(HERE, "not_judgeable")], [said(NEAR, "missing")], {"not_judgeable": 1}),
        ([person(HERE, "not_judgeable")], [said(NEAR, "worn")], {"not_judgeable": 1}),
        ([person(HERE, "not_judgeable")], [], {"not_judgeable": 1}),
        ([], [], {}),
    ],
)
def test_every_cell(truth: list[TruthPerson], sightings: list[Sighting], expected: dict[str, int]) -> None:
    assert cells(count([judged(truth, sightings)], "helmet")) == expected


def test_each_equipment_is_counted_by_itself() -> None:
    picture = judged([person(HERE, helmet="missing", vest="worn")], [said(NEAR, helmet="worn", vest="missing")])
    assert cells(count([picture], "helmet")) == {"missed_worn": 1}
    assert cells(count([picture], "vest")) == {"false_positive": 1, "worn": 1}


def test_pictures_add_up() -> None:
    pictures = [
        judged([person(HERE, "missing")], [said(NEAR, "missing")]),
        judged([person(HERE, "missing")], [said(NEAR, "unknown"), said(FAR, "missing")]),
    ]
    tally = count(pictures, "helmet")
    assert cells(tally) == {"true_positive": 1, "false_positive": 1, "missed_unknown": 1}
    assert (tally.missing, tally.said, tally.precision, tally.recall) == (2, 2, 0.5, 0.5)


@pytest.mark.parametrize(("shift", "found"), [(30, True), (34, False)])
def test_a_match_needs_half_of_the_union(shift: int, found: bool) -> None:
    """Boxes 100 wide, moved by `shift`: the overlap is (100 - shift) / (100 + shift), 0.54 and 0.49."""
    moved = (HERE[0] + shift, HERE[1], HERE[2] + shift, HERE[3])
    tally = count([judged([person(HERE, "missing")], [said(moved, "missing")])], "helmet")
    assert (tally.true_positive, tally.false_positive) == ((1, 0) if found else (0, 1))


def test_exactly_half_is_a_match() -> None:
    half = (HERE[0], HERE[1], HERE[2], HERE[1] + 150)
    assert count([judged([person(HERE, "missing")], [said(half, "missing")])], "helmet").true_positive == 1


def test_one_sighting_serves_one_person_and_the_best_overlaps_win() -> None:
    left, right = (100, 100, 200, 400), (130, 100, 230, 400)
    truth = [person(left, "missing"), person(right, "worn")]
    doubled = [said(left, "missing"), said((102, 100, 202, 400), "missing"), said(right, "worn")]
    tally = count([judged(truth, doubled)], "helmet")
    assert cells(tally) == {"true_positive": 1, "worn": 1, "false_positive": 1}


def test_two_people_are_matched_so_that_both_are_found() -> None:
    """The sighting between them overlaps the left one more, but only it can serve the right one."""
    left, right = (100, 100, 200, 400), (140, 100, 240, 400)
    between, on_left = (118, 100, 218, 400), (95, 100, 195, 400)
    truth = [person(left, "missing"), person(right, "missing")]
    tally = count([judged(truth, [said(between, "missing"), said(on_left, "missing")])], "helmet")
    assert cells(tally) == {"true_positive": 2}


@pytest.mark.parametrize(
    ("height", "scale", "band", "counted"),
    [
        (100, 1.0, (100, 200), True),
        (99, 1.0, (100, 200), False),
        (200, 1.0, (100, 200), False),
        (199, 1.0, (100, 200), True),
        (400, 0.25, (100, 200), True),
        (400, 0.2, (100, 200), False),
        (5000, 1.0, (200, math.inf), True),
    ],
)
def test_a_band_takes_the_height_as_the_model_saw_it(
    height: int, scale: float, band: tuple[float, float], counted: bool
) -> None:
    box = (100, 100, 200, 100 + height)
    found = judged([person(box, "missing")], [said(box, "missing", scale=scale)], scale)
    alone = judged([], [said(box, "missing", scale=scale)], scale)
    assert count([found], "helmet", *band).true_positive == counted
    assert count([alone], "helmet", *band).false_positive == counted


def test_the_true_height_decides_where_there_is_one() -> None:
    """A true person of 90 px and a sighting of 110 px on them: the band from 100 px knows neither."""
    truth, sighting = (100, 100, 200, 190), (100, 100, 200, 210)
    picture = judged([person(truth, "worn")], [said(sighting, "missing")])
    assert cells(count([picture], "helmet", 100)) == {}
    assert cells(count([picture], "helmet", 0, 100)) == {"false_positive": 1, "worn": 1}


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (8, 10, 0.4902, 0.9433),
        (5, 10, 0.2366, 0.7634),
        (1, 1, 0.2065, 1.0),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes: int, trials: int, low: float, high: float) -> None:
    """81 of 263: Newcombe 1998, table I; the others by hand."""
    assert wilson(successes, trials) == pytest.approx([low, high], abs=6e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_narrows(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials)
    assert 0 <= low <= round(successes / trials, 4) <= high <= 1
    more = wilson(4 * successes, 4 * trials)
    assert more[1] - more[0] <= high - low
    assert wilson(trials - successes, trials) == pytest.approx([1 - high, 1 - low], abs=1.5e-4)


def test_shares_of_nothing_are_no_numbers() -> None:
    tally = count([], "vest")
    assert math.isnan(tally.precision)
    assert math.isnan(tally.recall)
    told = tally.as_json()
    assert told["precision"] is told["recall"] is None
    assert told["unknown_among_missing"] is told["unknown_among_worn"] is None
    assert told["precision_95"] == told["recall_95"] == [0.0, 1.0]


def test_what_is_printed() -> None:
    pictures = [judged([person(HERE, "missing"), person(FAR, "worn")], [said(NEAR, "unknown"), said(FAR, "unknown")])]
    told = tallies(pictures)
    assert set(told) == {"helmet", "vest"}
    assert told["helmet"] == {
        "missing": 1,
        "worn": 1,
        "not_judgeable": 0,
        "true_positive": 0,
        "false_positive": 0,
        "missed_said_worn": 0,
        "missed_unknown": 1,
        "missed_not_found": 0,
        "precision": None,
        "precision_95": [0.0, 1.0],
        "recall": 0.0,
        "recall_95": [0.0, 0.7935],
        "unknown_among_missing": 1.0,
        "unknown_among_worn": 1.0,
    }


@st.composite
def crowds(draw: st.DrawFn, *, apart: bool) -> Judged:
    """Draw a picture: people and sightings anywhere, or (`apart`) each on a place of its own."""

    def box(place: int) -> Box:
        x = 300 * place + draw(st.integers(0, 40)) if apart else draw(st.integers(0, 300))
        y = draw(st.integers(0, 40))
        return x, y, x + draw(st.integers(60, 120)), y + draw(st.integers(40, 300))

    states = st.sampled_from(STATES)
    truths: st.SearchStrategy[Judgement] = st.sampled_from(get_args(Judgement))
    places = range(draw(st.integers(0, 6)))
    truth = [person(box(place), draw(truths), draw(truths)) for place in places if draw(st.booleans())]
    sightings = [said(box(place), draw(states), draw(states)) for place in places if draw(st.booleans())]
    return judged(truth, sightings)


@given(st.lists(crowds(apart=False), max_size=4), st.sampled_from([0.0, 100.0]))
def test_everybody_is_counted_exactly_once(pictures: list[Judged], least: float) -> None:
    tally = count(pictures, "helmet", least)
    inside = [one.helmet for picture in pictures for one in picture.truth.people if one.box[3] - one.box[1] >= least]
    misses = tally.missed_worn + tally.missed_unknown + tally.missed_not_found
    assert tally.true_positive + misses == tally.missing == inside.count("missing")
    assert tally.worn == inside.count("worn")
    assert tally.not_judgeable == inside.count("not_judgeable")
    assert tally.worn_unknown <= tally.worn
    claims = sum(one.helmet.state == "missing" for picture in pictures for one in picture.said)
    assert tally.said <= claims


@given(st.lists(crowds(apart=False), max_size=3))
def test_bands_add_up_to_the_whole(pictures: list[Judged]) -> None:
    bands = [count(pictures, "vest", *band) for band in ((0, 100), (100, 200), (200, math.inf))]
    whole = count(pictures, "vest")
    for name, number in asdict(whole).items():
        assert sum(getattr(band, name) for band in bands) == number


@given(crowds(apart=True), st.randoms(use_true_random=False))
def test_the_order_of_people_changes_nothing(picture: Judged, rng: random.Random) -> None:
    people, sightings = list(picture.truth.people), list(picture.said)
    rng.shuffle(people)
    rng.shuffle(sightings)
    truth = TruthPicture("a.png", "valid", "0" * 64, 1000, 1000, tuple(people))
    shuffled = Judged(truth, tuple(sightings), picture.scale)
    assert tallies([shuffled]) == tallies([picture])
