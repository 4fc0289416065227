"""Kinds of people: told from truth and pixels, counted apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.counting import Judged, count, people_found
from service.lab.slices import CROWD, SLICES, Place, blurred, cut_off, dark, in_a_crowd, light
from service.safety.inference import Box
from tests.lab.people import judged, person, said

INSIDE: Box = (300, 300, 400, 600)


def place(box: Box = INSIDE, people: int = 1) -> Place:
    return Place(box, 1000, 1000, people)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (INSIDE, False),
        ((5, 300, 100, 600), True),
        ((6, 300, 100, 600), False),
        ((300, 0, 400, 300), True),
        ((900, 300, 995, 600), True),
        ((900, 300, 994, 600), False),
        ((300, 700, 400, 1000), True),
    ],
)
def test_cut_by_the_border(box: Box, expected: bool) -> None:
    assert cut_off(place(box)) is expected


def test_a_crowd_is_counted_in_true_people() -> None:
    assert not in_a_crowd(place(people=CROWD - 1))
    assert in_a_crowd(place(people=CROWD))


def test_dark_and_blurred_are_told_place_by_place() -> None:
    """Left black, right a bright checkerboard of 4 pixels."""
    rows, columns = np.indices((640, 640))
    image = np.repeat((((rows // 4 + columns // 4) % 2) * 200 + 50)[..., None], 3, axis=2).astype(np.uint8)
    image[:, :320] = 10
    seen = light(image, 1.0)
    left, right = (Place(box, 640, 640, 1, seen) for box in ((50, 50, 250, 600), (400, 50, 600, 600)))
    assert (dark(left), blurred(left)) == (True, True)
    assert (dark(right), blurred(right)) == (False, False)
    corner = Place((639, 639, 640, 640), 640, 640, 1, seen)
    assert not dark(corner)


def test_sharpness_is_that_at_the_size_of_the_model() -> None:
    """Fine noise is gone when the model sees the picture at a tenth of its size."""
    noise = np.random.default_rng(1).integers(0, 255, (640, 640, 3), dtype=np.uint8)
    box: Box = (0, 0, 640, 640)
    fine, coarse = (light(noise, scale).within(box, 640, 640)[1] for scale in (1.0, 0.1))
    assert fine > 10 * coarse


def test_without_pixels_nobody_is_dark_or_blurred() -> None:
    assert not dark(place())
    assert not blurred(place())


def picture(*boxes: Box, missing: bool = True) -> Judged:
    return judged(
        [person(box, "missing" if missing else "worn") for box in boxes], [said(box, "missing") for box in boxes]
    )


def test_people_are_counted_where_they_are() -> None:
    edge: Box = (0, 300, 100, 600)
    pictures = [picture(INSIDE, edge), judged([], [said(edge, "missing"), said(INSIDE, "missing")])]
    tally = count(pictures, "helmet", where=cut_off)
    assert (tally.true_positive, tally.false_positive) == (1, 1)
    inside = count(pictures, "helmet", where=lambda one: not cut_off(one))
    assert (inside.true_positive, inside.false_positive) == (1, 1)


@given(st.lists(st.integers(0, 6), max_size=4), st.sampled_from(["helmet", "vest"]))
def test_a_slice_and_the_rest_are_everybody(sizes: list[int], equipment: str) -> None:
    pictures = [picture(*[(150.0 * place, 300.0, 150.0 * place + 100, 600.0) for place in range(n)]) for n in sizes]
    for where in SLICES.values():
        parts = [count(pictures, equipment, where=one) for one in (where, lambda one, w=where: not w(one))]  # type: ignore[arg-type]
        assert sum(one.missing for one in parts) == count(pictures, equipment).missing  # type: ignore[arg-type]


def test_people_not_found_are_counted_whatever_they_wear() -> None:
    lost = replace(picture(INSIDE, missing=False), said=())
    unsure = judged([person(INSIDE)], [said(INSIDE, "unknown"), said((700, 300, 800, 600))])
    found = people_found([lost, unsure])
    assert (found["people"], found["not_found"], found["not_found_share"]) == (2, 1, 0.5)
    assert (found["something_unknown"], found["nobody_there"]) == (1, 1)
    assert people_found([])["not_found_share"] is None
    assert people_found([lost, unsure], least=301)["people"] == 0
