"""Thresholds and minimum heights: the most that is found at a stated precision."""

from __future__ import annotations

import pytest

from service.lab import choosing, looking
from service.lab.counting import Judged
from service.lab.looking import Seen
from service.lab.truth import TruthPerson, TruthPicture
from service.lab.truth_review.decisions import Judgement
from service.safety.equipment import ClassName, State
from service.safety.thresholds import Thresholds
from tests.lab.people import judged, person, said
from tests.safety.scenes import Row, head_of, person_at, scene, torso_of

DIGEST = "ab" * 32


def crowd(*heads: tuple[ClassName, float], truth: Judgement) -> Seen:
    """Five workers side by side, each with a vest and the same head or heads."""
    rows: list[Row] = []
    people: list[TruthPerson] = []
    for place in range(5):
        worker = person_at(20 + 190 * place, 100, 120, 360)
        rows += [worker, torso_of(worker), *(head_of(worker, name, confidence) for name, confidence in heads)]
        people.append(person(worker[2], helmet=truth))
    picture = TruthPicture("a.png", "valid", DIGEST, 1000, 800, tuple(people))
    return Seen(picture, scene(*rows))


@pytest.mark.parametrize(("precision", "expected"), [(0.93, 0.30), (0.0, 0.16)])
def test_thresholds_find_most_at_the_asked_precision(precision: float, expected: float) -> None:
    """Truly bare heads are seen at 0.32; covered ones look bare at 0.22, which only costs precision."""
    seen = [crowd(("no-helmet", 0.32), truth="missing"), crowd(("no-helmet", 0.22), truth="worn")]
    chosen = choosing.choose_thresholds(seen, Thresholds(), precision)
    assert chosen.confidence["no-helmet"] == expected


def strong_and_weak() -> list[Seen]:
    """Of 50 bare heads 40 are seen at 0.62 and 10 at 0.32, where 5 covered ones look bare too."""
    return [
        *[crowd(("no-helmet", 0.62), truth="missing")] * 8,
        *[crowd(("no-helmet", 0.32), truth="missing")] * 2,
        crowd(("no-helmet", 0.32), truth="worn"),
    ]


@pytest.mark.parametrize(("asked", "reached", "recall"), [(0.90, 50 / 55, 1.0), (0.95, 1.0, 0.8)])
def test_the_asked_precision_is_kept_whatever_it_costs(asked: float, reached: float, recall: float) -> None:
    chosen = choosing.choose(strong_and_weak(), Thresholds(), asked)
    found = choosing.reached(strong_and_weak(), chosen)["helmet"]
    assert (found.precision, found.recall) == (pytest.approx(reached), recall)
    assert not choosing.short(found, asked)


@pytest.fixture(scope="module")
def unreachable() -> tuple[list[Seen], Thresholds]:
    """Pictures on which nothing keeps a precision of .95, and what was chosen for it."""
    seen = [*strong_and_weak(), *[crowd(("no-helmet", 0.62), truth="worn")] * 2]
    return seen, choosing.choose(seen, Thresholds(), 0.95)


def test_where_nothing_keeps_it_the_nearest_is_taken_and_it_shows(unreachable: tuple[list[Seen], Thresholds]) -> None:
    seen, chosen = unreachable
    found = choosing.reached(seen, chosen)["helmet"]
    assert chosen.confidence["no-helmet"] == 0.5  # in the middle of those from 0.35 on
    assert found.precision == 40 / 50
    assert choosing.short(found, 0.95)
    assert not choosing.short(choosing.reached(seen, chosen)["vest"], 0.95)  # nobody is said to lack one


def test_equipment_that_cannot_keep_it_does_not_spoil_the_other() -> None:
    """Torsos without a vest are seen as surely where there is a vest; bare heads can be told."""
    worker = person_at(20, 100, 120, 360)
    rows = (worker, head_of(worker, "no-helmet", 0.32), torso_of(worker, "no-vest", 0.9))
    pictures = [
        TruthPicture("a.png", "valid", DIGEST, 1000, 800, (person(worker[2], helmet="missing", vest=vest),))
        for vest in ("worn", "missing")
    ]
    seen = [Seen(picture, scene(*rows)) for picture in pictures]
    chosen = choosing.choose(seen, Thresholds(), 0.9)
    assert choosing.reached(seen, chosen)["vest"].precision == 0.5
    assert choosing.reached(seen, chosen)["helmet"].recall == 1.0


def test_what_was_reached_is_told_in_words(unreachable: tuple[list[Seen], Thresholds]) -> None:
    counted = choosing.reached(*unreachable)
    assert choosing.told("helmet", counted["helmet"], 0.8) == (
        "missing helmet: precision 0.80 (asked 0.80), 40 of 50 who lack it are found"
    )
    assert choosing.told("helmet", counted["helmet"], 0.95) == (
        "missing helmet: precision 0.80, NOT the 0.95 asked: nothing that was tried reaches it, this comes nearest; "
        "40 of 50 who lack it are found"
    )
    assert choosing.told("vest", counted["vest"], 0.95) == (
        "missing vest: nobody is said to lack it (asked 0.95), 0 of 0 who lack it are found"
    )


def test_what_is_asked_if_nothing_else_is() -> None:
    import inspect

    from service.cli.evaluate import evaluate_command

    assert choosing.PRECISION == 0.90
    assert inspect.signature(evaluate_command).parameters["precision"].default == choosing.PRECISION


def test_thresholds_without_effect_are_in_the_middle() -> None:
    seen = [crowd(("no-helmet", 0.9), truth="missing"), crowd(("helmet", 0.9), truth="worn")]
    chosen = choosing.choose_thresholds(seen, Thresholds())
    assert chosen.confidence == {"helmet": 0.3, "no-helmet": 0.3, "vest": 0.3, "no-vest": 0.3, "person": 0.45}
    assert chosen.inferred_confidence == 0.45
    assert chosen.minimum_height == Thresholds().minimum_height


def test_chosen_on_what_is_handed_in() -> None:
    groups = {
        "made/tune": [crowd(("no-helmet", 0.32), truth="missing"), crowd(("helmet", 0.9), truth="worn")],
        "made/report": [crowd(("no-helmet", 0.11), truth="missing")] * 3,
        "made/test": [crowd(("no-helmet", 0.11), truth="missing")] * 3,
    }
    chosen = choosing.choose(looking.pooled(groups, "tune", "valid"), Thresholds())
    assert chosen.confidence["no-helmet"] == 0.18
    assert chosen.minimum_height == {"helmet": 200.0, "vest": 200.0}


def lacking(height: float, *states: State) -> Judged:
    """People of one height who all lack a helmet, and what was said about each."""
    boxes = [(300.0 * place, 0.0, 300.0 * place + 100, height) for place in range(len(states))]
    sightings = [said(box, state) for box, state in zip(boxes, states, strict=True)]
    return judged([person(box, "missing") for box in boxes], sightings)


GOOD: tuple[State, ...] = ("missing", "missing", "unknown")
POOR: tuple[State, ...] = ("unknown", "worn", "unknown", "unknown")


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([lacking(40, *GOOD), lacking(70, *GOOD), lacking(150, *GOOD), lacking(250, *GOOD)], 0.0),
        ([lacking(40, *POOR), lacking(70, *GOOD), lacking(150, *GOOD), lacking(250, *GOOD)], 50.0),
        ([lacking(70, *POOR), lacking(150, *GOOD), lacking(250, *GOOD)], 100.0),
        ([lacking(70, *GOOD), lacking(150, *POOR), lacking(250, *GOOD)], 200.0),
        ([lacking(70, *GOOD), lacking(250, *GOOD)], 200.0),
        ([lacking(150, *GOOD), lacking(250, *POOR)], 200.0),
        ([], 200.0),
    ],
    ids=["everywhere", "not the smallest", "from 100", "a poor band", "an empty band", "poor above", "nobody"],
)
def test_the_least_height_is_where_recall_is_reached_and_stays(pictures: list[Judged], expected: float) -> None:
    assert choosing.least_heights(pictures)["helmet"] == expected
    assert choosing.least_heights(pictures)["vest"] == 200.0


def test_heights_are_fitted_to_the_thresholds_whatever_they_were_before() -> None:
    tall = crowd(("no-helmet", 0.9), truth="missing")
    chosen = choosing.fitted([tall], Thresholds())
    assert chosen.minimum_height["helmet"] == 200.0
    shut = chosen.model_copy(update={"minimum_height": {"helmet": 9000.0, "vest": 9000.0}})
    assert choosing.fitted([tall], shut) == chosen
