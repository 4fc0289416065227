from __future__ import annotations

import dataclasses
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.detections import Detections
from service.safety.equipment import EQUIPMENT
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds
from service.safety.wearing import DOUBLE, Sighting, sightings
from tests.safety.scenes import Row, head_of, person_at, rows, scene, torso_of

LIMITS = Thresholds()


def judge(*found: Row, **picture: float) -> tuple[Sighting, ...]:
    return sightings(scene(*found, **picture), LIMITS)  # type: ignore[arg-type]


def states(*found: Row) -> list[tuple[str, str]]:
    return [(person.helmet.state, person.vest.state) for person in judge(*found)]


def test_nothing_seen_means_nobody() -> None:
    assert judge() == ()


def test_a_person_with_both_items_wears_both() -> None:
    person = person_at(300, 100)
    (seen,) = judge(person, head_of(person), torso_of(person))
    assert (seen.helmet.state, seen.vest.state) == ("worn", "worn")
    assert seen.helmet.confidence == pytest.approx(0.7)
    assert seen.helmet.box == pytest.approx(head_of(person)[2])
    assert seen.compliant(EQUIPMENT) is True


def test_negative_classes_say_missing() -> None:
    person = person_at(300, 100)
    assert states(person, head_of(person, "no-helmet"), torso_of(person, "no-vest")) == [("missing", "missing")]


def test_absence_of_evidence_is_unknown_not_missing() -> None:
    (seen,) = judge(person_at(300, 100))
    assert (seen.helmet.state, seen.helmet.reason) == ("unknown", "no_evidence")
    assert (seen.vest.state, seen.vest.reason) == ("unknown", "no_evidence")
    assert seen.compliant(EQUIPMENT) is None
    assert seen.compliant(()) is True


def test_missing_outweighs_unknown() -> None:
    person = person_at(300, 100)
    (seen,) = judge(person, head_of(person, "no-helmet"))
    assert seen.compliant(["helmet", "vest"]) is False
    assert seen.compliant(["vest"]) is None


@pytest.mark.parametrize(("helmet", "bare", "state"), [(0.8, 0.6, "worn"), (0.5, 0.6, "missing")])
def test_helmet_and_no_helmet_on_one_head_compete_by_confidence(helmet: float, bare: float, state: str) -> None:
    person = person_at(300, 100)
    shell = head_of(person, "helmet", helmet)
    x1, y1, x2, _ = shell[2]
    head = ("no-helmet", bare, (x1, y1, x2, y1 + 70.0))
    (seen,) = judge(person, shell, head)
    assert seen.helmet.state == state


def test_the_loser_of_one_head_does_not_move_to_a_neighbour() -> None:
    left, right = person_at(300, 100), person_at(360, 100)
    found = [left, right, head_of(left, "helmet", 0.9), head_of(left, "no-helmet", 0.5)]
    assert sorted(states(*found)) == [("unknown", "unknown"), ("worn", "unknown")]


def test_a_helmet_in_the_hand_is_not_worn() -> None:
    person = person_at(300, 100)
    in_hand: Row = ("helmet", 0.9, (370, 250, 410, 285))
    (seen,) = judge(person, in_hand)
    assert (seen.helmet.state, seen.helmet.reason) == ("unknown", "no_evidence")


def test_a_helmet_on_a_table_makes_nobody() -> None:
    assert judge(("helmet", 0.95, (600, 500, 640, 530))) == ()


def test_a_bare_head_beats_the_helmet_in_the_hand() -> None:
    person = person_at(300, 100)
    (seen,) = judge(person, ("helmet", 0.95, (370, 250, 410, 285)), head_of(person, "no-helmet", 0.5))
    assert seen.helmet.state == "missing"


def test_overlapping_people_keep_their_own_items() -> None:
    near, far = person_at(300, 140, 120, 360, 0.9), person_at(360, 100, 100, 300, 0.8)
    found = [near, far, head_of(near, "helmet"), head_of(far, "no-helmet"), torso_of(near), torso_of(far, "no-vest")]
    assert states(*found) == [("worn", "worn"), ("missing", "missing")]


def test_too_small_is_said_whatever_was_seen() -> None:
    person = person_at(300, 100, 20, 40)
    (seen,) = judge(person, head_of(person, "no-helmet"), torso_of(person))
    assert (seen.helmet.state, seen.helmet.reason) == ("unknown", "too_small")
    assert (seen.vest.state, seen.vest.reason) == ("unknown", "too_small")


def test_height_is_the_models_source_height_the_pictures() -> None:
    (seen,) = judge(person_at(300, 100, 100, 300), scale=0.5)
    assert (seen.height, seen.source_height) == (150, 300)


def test_cut_heads_and_torsos_say_out_of_picture() -> None:
    (headless,) = judge(person_at(300, 0))
    assert headless.helmet.reason == "out_of_picture"
    (head_and_shoulders,) = judge(person_at(300, 700, 150, 100))
    assert head_and_shoulders.vest.reason == "out_of_picture"
    assert head_and_shoulders.helmet.reason == "no_evidence"


def test_behind_somebody_is_hidden() -> None:
    behind, front = person_at(300, 100, 100, 300), person_at(290, 140, 130, 400, 0.9)
    found = {seen.box: seen for seen in judge(behind, front)}
    assert found[behind[2]].vest.reason == "hidden"
    assert found[front[2]].vest.reason == "no_evidence"


def test_a_bare_head_without_a_box_becomes_an_inferred_person() -> None:
    (seen,) = judge(("no-helmet", 0.8, (400, 200, 440, 250)))
    assert seen.box_inferred
    assert seen.helmet.state == "missing"
    x1, y1, x2, y2 = seen.box
    assert x1 < 400 and y1 == 200 and x2 > 440 and y2 > 400


def test_head_and_torso_without_a_box_become_one_person() -> None:
    ghost = person_at(300, 100)
    (seen,) = judge(head_of(ghost), torso_of(ghost, "no-vest"))
    assert seen.box_inferred
    assert (seen.helmet.state, seen.vest.state) == ("worn", "missing")


def test_a_weak_item_makes_nobody() -> None:
    assert judge(("no-helmet", 0.45, (400, 200, 440, 250))) == ()


def test_under_its_threshold_a_box_says_nothing() -> None:
    person = person_at(300, 100)
    (seen,) = judge(person, head_of(person, "no-helmet", 0.3))
    assert seen.helmet.state == "unknown"
    assert judge(person_at(300, 100, confidence=0.3)) == ()


@given(rows())
def test_no_item_serves_two_people(found: list[Row]) -> None:
    seen = judge(*found)
    for equipment in EQUIPMENT:
        boxes = [person.of(equipment).box for person in seen if person.of(equipment).box]
        assert len(boxes) == len(set(boxes))


def test_a_second_box_of_one_person_is_nobody() -> None:
    """Seated: one box to the head, one to the knees, and both show the torso."""
    seated: Row = ("person", 0.65, (373, 0, 572, 624))
    knees: Row = ("person", 0.51, (267, 80, 573, 640))
    head: Row = ("no-helmet", 0.67, (392, 0, 473, 70))
    torsos: list[Row] = [("no-vest", 0.57, (408, 79, 558, 355)), ("no-vest", 0.43, (385, 165, 563, 439))]
    (seen,) = judge(seated, knees, head, *torsos)
    assert (seen.box, seen.helmet.state, seen.vest.state) == (seated[2], "missing", "missing")
    stronger: Row = ("person", 0.9, knees[2])
    (seen,) = judge(seated, stronger, head, *torsos)
    assert seen.box == seated[2]
    assert len(sightings(scene(seated, knees, head, *torsos), LIMITS, labels=True)) == 2


def test_two_people_close_together_stay_two() -> None:
    one, two = person_at(300, 100), person_at(330, 100, confidence=0.7)
    assert len(judge(one, two, head_of(one), head_of(two, "no-helmet", 0.6))) == 2
    assert len(judge(one, two)) == 2
    apart = person_at(345, 100)
    assert len(judge(one, apart, head_of(one))) == 2


@given(rows())
def test_every_person_box_above_its_threshold_is_answered_for(found: list[Row]) -> None:
    people = [person for person in judge(*found) if not person.box_inferred]
    boxes = [row[2] for row in found if row[0] == "person" and row[1] >= 0.35]
    seen = {person.box for person in people}
    heads = [person.box for person in people if person.helmet.box]
    assert len(people) == len(seen & set(boxes)) <= len(boxes)
    assert all(box in seen or (iou([box], heads) >= DOUBLE).any() for box in boxes)
    assert len(sightings(scene(*found), LIMITS, labels=True)) >= len(boxes)
    assert all(one.confidence >= two.confidence for one, two in pairwise(judge(*found)))


@given(rows(), st.randoms(use_true_random=False))
def test_order_does_not_matter(found: list[Row], rng: random.Random) -> None:
    shuffled = list(found)
    rng.shuffle(shuffled)
    assert judge(*shuffled) == judge(*found)


@given(rows(), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_scaling_everything_scales_everything(found: list[Row], factor: float) -> None:
    plain = scene(*found)
    bigger = Detections(
        plain.boxes * np.float32(factor),
        plain.confidence,
        plain.class_id,
        int(plain.width * factor),
        int(plain.height * factor),
        plain.scale / factor,
    )
    for one, two in zip(sightings(plain, LIMITS), sightings(bigger, LIMITS), strict=True):
        assert two.box == pytest.approx([factor * value for value in one.box], abs=1e-3 * factor)
        assert two.height == pytest.approx(one.height)
        assert (one.helmet.state, one.helmet.reason) == (two.helmet.state, two.helmet.reason)
        assert (one.vest.state, one.vest.reason) == (two.vest.state, two.vest.reason)


@settings(max_examples=60)
@given(rows(), st.integers(-64, 64), st.integers(-64, 64))
def test_moving_everything_moves_everything(found: list[Row], right: int, down: int) -> None:
    moved = [(name, score, (x1 + right, y1 + down, x2 + right, y2 + down)) for name, score, (x1, y1, x2, y2) in found]
    for one, two in zip(judge(*found), judge(*moved), strict=True):
        if not one.box_inferred:  # an inferred box is cut by the picture's edge, which does not move
            assert two.box == pytest.approx(np.add(one.box, [right, down, right, down]))
        assert (one.helmet.state, one.vest.state) == (two.helmet.state, two.vest.state)


def test_sightings_are_frozen() -> None:
    (seen,) = judge(person_at(300, 100))
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.confidence = 1.0  # type: ignore[misc]
