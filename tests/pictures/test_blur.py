"""Faces go, helmets stay: by boxes of every size and place, and pixel for pixel."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.blur import CELLS, HINT, SURE, blur, heads
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from tests.safety.scenes import Row, scene

WIDE, HIGH = 200, 160
HELMET, PERSON = ("helmet", 0.9, (80, 20, 120, 50)), ("person", 0.9, (60, 20, 140, 150))


def noise(seed: int = 7) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (HIGH, WIDE, 3), dtype=np.uint8)


def seen(*rows: Row) -> Detections:
    return scene(*rows, width=WIDE, height=HIGH)


def test_a_helmet_stays_bit_by_bit_and_the_face_under_it_is_gone() -> None:
    image = noise()
    blurred = blur(image, heads(seen(HELMET, PERSON)))
    assert (blurred[20:41, 80:120] == image[20:41, 80:120]).all()
    face = blurred[43:77, 71:129]
    assert len({pixel.tobytes() for pixel in face.reshape(-1, 3)}) <= CELLS * CELLS
    assert (face != image[43:77, 71:129]).any(axis=2).mean() > 0.98
    assert (blurred[80:] == image[80:]).all()


def test_of_a_bare_head_the_hair_stays() -> None:
    image = noise()
    blurred = blur(image, heads(seen(("no-helmet", 0.9, (80, 20, 120, 70)), PERSON)))
    assert (blurred[20:36, 80:120] == image[20:36, 80:120]).all()
    assert len({pixel.tobytes() for pixel in blurred[37:87, 71:129].reshape(-1, 3)}) <= CELLS * CELLS


def test_of_a_box_that_holds_the_whole_head_the_face_goes_too() -> None:
    """Where a shell's box would end in its lower third, such a box shows the eyes."""
    (head,) = heads(seen(("helmet", 0.9, (80, 20, 120, 75)), PERSON))
    assert head.stays == (80, 20, 120, 42)
    assert head.goes == (70, 42, 130, 80)


def test_who_has_no_head_box_is_blurred_where_heads_are() -> None:
    image = noise()
    (head,) = heads(seen(PERSON))
    assert head.stays is None
    blurred = blur(image, (head,))
    assert (blurred[20:26] == image[20:26]).all()
    assert (blurred[30:46, 70:130] != image[30:46, 70:130]).any(axis=2).mean() > 0.98


def test_one_head_speaks_for_one_of_two_people() -> None:
    """The left one's head lies in the upper third of both, and the right one's was not found."""
    left, right = ("person", 0.9, (60, 20, 140, 150)), ("person", 0.85, (95, 18, 180, 150))
    known, supposed = heads(seen(("helmet", 0.8, (80, 22, 118, 44)), left, right))
    assert known.stays is not None
    (alone,) = heads(seen(right))
    assert supposed == alone
    assert len(heads(seen(("helmet", 0.8, (80, 22, 118, 44)), ("helmet", 0.7, (122, 20, 154, 40)), left, right))) == 2


def test_a_hint_on_a_shoulder_leaves_no_face() -> None:
    hint, supposed = heads(seen(("no-helmet", HINT + 0.01, (110, 48, 130, 60)), PERSON))
    assert hint.stays is None
    assert (supposed,) == heads(seen(PERSON))


def test_hints_are_blurred_and_keep_nothing_clear() -> None:
    image = noise()
    weak = ("helmet", (HINT + SURE) / 2, (90, 46, 110, 70))
    (sure, hint) = heads(seen(HELMET, PERSON, weak))
    assert hint.stays is None and sure.stays is not None
    blurred = blur(image, (sure, hint))
    assert (blurred[47:62, 90:110] != image[47:62, 90:110]).any(axis=2).mean() > 0.98
    assert heads(seen(("helmet", HINT - 0.01, (90, 46, 110, 70)))) == ()


def test_of_two_boxes_on_one_head_the_surer_one_speaks() -> None:
    both = heads(seen(HELMET, ("no-helmet", 0.5, (82, 22, 118, 60)), PERSON))
    assert both == heads(seen(HELMET, PERSON))


def test_a_smaller_picture_is_blurred_in_its_own_pixels() -> None:
    small = noise()[::2, ::2].copy()
    blurred = blur(small, heads(seen(HELMET, PERSON)), 0.5)
    assert (blurred[10:20, 40:60] == small[10:20, 40:60]).all()
    assert (blurred[22:38, 36:64] != small[22:38, 36:64]).any(axis=2).mean() > 0.95


EDGE = st.floats(-50, 250)
ROWS = st.lists(
    st.builds(
        lambda name, sure, x, y, w, h: (name, sure, (x, y, x + w, y + h)),
        st.sampled_from(CLASSES),
        st.floats(0, 1),
        EDGE,
        EDGE,
        st.floats(0.5, 150),
        st.floats(0.5, 150),
    ),
    max_size=6,
)


@given(ROWS)
def test_any_boxes_leave_a_picture_of_the_same_size_and_the_input_alone(rows: list[Row]) -> None:
    image = noise()
    before = image.copy()
    found = heads(seen(*rows))
    blurred = blur(image, found)
    assert blurred.shape == image.shape and (image == before).all()
    outside = np.ones((HIGH, WIDE), bool)
    for head in found:
        x1, y1, x2, y2 = (max(round(edge), 0) for edge in head.goes)
        outside[y1:y2, x1:x2] = False
    assert (blurred[outside] == image[outside]).all()
