"""A closer look goes where something is open, adds to who is there and takes nothing back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.safety.closer import joined, unsure
from service.safety.detections import Detections
from service.safety.equipment import CLASS_ID
from service.safety.thresholds import Thresholds
from service.safety.wearing import sightings
from tests.safety.scenes import Row, head_of, person_at, scene, torso_of

THRESHOLDS = Thresholds(minimum_height={"helmet": 50.0, "vest": 50.0})
SIZE = 320


def test_nobody_who_is_clear_is_looked_at() -> None:
    person = person_at(100, 100)
    assert unsure(scene(person, head_of(person), torso_of(person)), THRESHOLDS, 4, SIZE) == ()


def test_what_is_open_is_looked_at_with_a_margin() -> None:
    person = person_at(100, 100)
    (closer,) = unsure(scene(person, torso_of(person)), THRESHOLDS, 4, SIZE)
    assert closer.wanted == ("helmet",)
    assert (closer.x1, closer.y1, closer.x2, closer.y2) == (85, 55, 216, 446)


def test_the_tallest_come_first_and_no_more_than_asked_for() -> None:
    people = [person_at(200 * index, 100, h=200 + 50 * index) for index in range(4)]
    chosen = unsure(scene(*people), THRESHOLDS, 2, SIZE)
    assert [closer.person for closer in chosen] == [3, 2]


def test_who_is_too_small_as_the_model_saw_them_is_looked_at_when_that_helps() -> None:
    person = person_at(100, 100, w=50, h=140)
    clear = (person, head_of(person), torso_of(person))
    seen = scene(*clear, scale=0.3)
    (closer,) = unsure(seen, THRESHOLDS, 4, SIZE)
    looked = joined(seen, [(closer, scene(width=66, height=184, scale=SIZE / 184))])
    (sighting,) = sightings(looked, THRESHOLDS)
    assert (sighting.helmet.state, sighting.vest.state) == ("worn", "worn")
    assert sighting.height == 140
    assert unsure(scene(*clear, scale=0.9), Thresholds(minimum_height={"helmet": 200, "vest": 200}), 4, SIZE) == ()
    tiny = person_at(100, 100, w=12, h=30)
    assert unsure(scene(tiny, scale=0.3), THRESHOLDS, 4, SIZE) == ()


def test_what_it_shows_lands_on_the_person_in_pixels_of_the_picture() -> None:
    person = person_at(100, 100)
    whole = scene(person, torso_of(person))
    (closer,) = unsure(whole, THRESHOLDS, 4, SIZE)
    _, confidence, (x1, y1, x2, y2) = head_of(person, "no-helmet")
    part = scene(("no-helmet", confidence, (x1 - 85, y1 - 55, x2 - 85, y2 - 55)), width=131, height=391, scale=0.8)
    (sighting,) = sightings(joined(whole, [(closer, part)]), THRESHOLDS)
    assert sighting.helmet.state == "missing"
    assert sighting.helmet.box == (130, 100, 170, 142)
    assert sighting.vest.state == "worn"


def test_a_closer_look_must_be_sure() -> None:
    whole = scene(person_at(100, 100))
    (closer,) = unsure(whole, THRESHOLDS, 4, SIZE)
    part = scene(("no-helmet", 0.59, (46, 44, 84, 88)), width=131, height=391)
    assert len(joined(whole, [(closer, part)])) == 1


def test_what_was_not_asked_is_not_answered() -> None:
    """Neighbours, people, the equipment that was clear, and boxes that were there already change nothing."""
    person = person_at(100, 100)
    whole = scene(person, torso_of(person), ("no-helmet", 0.2, (130, 100, 170, 142)))
    (closer,) = unsure(whole, THRESHOLDS, 4, SIZE)
    part = scene(
        ("person", 0.9, (15, 45, 115, 345)),
        ("no-vest", 0.9, (25, 100, 100, 200)),
        ("no-helmet", 0.9, (116, 45, 130, 60)),
        ("no-helmet", 0.9, (46, 44, 84, 88)),
        width=131,
        height=391,
    )
    looked = joined(whole, [(closer, part)])
    assert looked.boxes.tolist() == whole.boxes.tolist()
    assert looked.class_id.tolist() == whole.class_id.tolist()


ROWS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 700), st.integers(10, 300), st.integers(10, 400), st.booleans()),
    max_size=6,
)


@given(ROWS, st.sampled_from([0.2, 1.0, 2.0]), st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4))
def test_it_only_adds(people: list[tuple[int, int, int, int, bool]], scale: float, place: list[float]) -> None:
    rows: list[Row] = []
    for x, y, w, h, helmet in people:
        person = person_at(x, y, min(w, 1000 - x), min(h, 800 - y))
        rows += [person, head_of(person)] if helmet else [person]
    whole = scene(*rows, scale=scale)
    chosen = unsure(whole, THRESHOLDS, 3, SIZE)
    looks = []
    for closer in chosen:
        assert 0 <= closer.x1 < closer.x2 <= whole.width
        assert 0 <= closer.y1 < closer.y2 <= whole.height
        width, height = closer.x2 - closer.x1, closer.y2 - closer.y1
        (x1, x2), (y1, y2) = sorted(place[:2]), sorted(place[2:])
        box = np.array([[x1 * width, y1 * height, x2 * width + 0.5, y2 * height + 0.5]])
        looks.append((closer, Detections(box, np.array([0.9]), np.array([CLASS_ID["no-helmet"]]), width, height, 1.0)))
    looked = joined(whole, looks)
    count = len(whole)
    assert looked.boxes[:count].tolist() == whole.boxes.tolist()
    assert (looked.seen_scale[:count] >= whole.seen_scale - 1e-6).all()
    assert len(looked) <= count + len(chosen)
    assert (looked.class_id[count:] == CLASS_ID["no-helmet"]).all()
