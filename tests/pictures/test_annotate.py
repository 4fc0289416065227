from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.annotate import COLOURS, annotate, label
from service.pictures.labels import place
from service.ports import Image
from service.safety.equipment import Equipment, Reason, State
from service.safety.wearing import Finding, Sighting

BLUE, YELLOW, VERMILION = (tuple(bytes.fromhex(colour[1:]))[::-1] for colour in COLOURS)
BOTH: tuple[Equipment, ...] = ("helmet", "vest")

WORN = Finding("worn", 0.8, (220, 100, 260, 130))
MISSING = Finding("missing", 0.7, (210, 160, 290, 260))
UNKNOWN = Finding("unknown", reason="no_evidence")


def somebody(helmet: Finding = WORN, vest: Finding = WORN, *, inferred: bool = False) -> Sighting:
    return Sighting((200, 100, 300, 400), inferred, 0.9, 300, 300, helmet, vest)


def grey(width: int = 640, height: int = 480) -> Image:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def test_a_marked_picture_is_a_new_one_of_the_same_size() -> None:
    image = grey()
    drawn = annotate(image, (somebody(),))
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 128).all()
    assert (drawn[100:400, 200:300] != 128).any()
    assert (drawn[420:, 320:] == 128).all(), "nothing is drawn where nobody is"


def test_a_picture_of_nobody_is_a_plain_copy() -> None:
    image = grey()
    drawn = annotate(image, ())
    assert drawn is not image
    assert not np.shares_memory(drawn, image)
    assert (drawn == image).all()


@pytest.mark.parametrize(
    ("sighting", "colour"),
    [
        (somebody(), BLUE),
        (somebody(helmet=UNKNOWN), YELLOW),
        (somebody(vest=MISSING), VERMILION),
        (somebody(helmet=UNKNOWN, vest=MISSING), VERMILION),
    ],
)
def test_one_colour_a_state(sighting: Sighting, colour: tuple[int, int, int]) -> None:
    drawn = annotate(grey(), (sighting,))
    assert tuple(drawn[350, 200]) == colour


def test_an_inferred_box_is_drawn_by_its_corners_only() -> None:
    drawn = annotate(grey(), (somebody(helmet=UNKNOWN, vest=UNKNOWN, inferred=True),))
    assert tuple(drawn[390, 200]) == YELLOW
    assert (drawn[250, 195:205] == 128).all()


@pytest.mark.parametrize(
    ("sighting", "require", "text"),
    [
        (somebody(), BOTH, "#3 ok"),
        (somebody(vest=MISSING), BOTH, "#3 no vest"),
        (somebody(vest=MISSING), ("helmet",), "#3 ok"),
        (somebody(helmet=MISSING, vest=MISSING), BOTH, "#3 no helmet\nno vest"),
        (somebody(helmet=UNKNOWN), BOTH, "#3 helmet ?"),
        (somebody(helmet=UNKNOWN, vest=MISSING), BOTH, "#3 helmet ?\nno vest"),
        (somebody(helmet=UNKNOWN, vest=UNKNOWN), BOTH, "#3 ?"),
        (somebody(helmet=MISSING), (), "#3 ok"),
    ],
)
def test_words_say_what_the_colour_says(sighting: Sighting, require: tuple[Equipment, ...], text: str) -> None:
    assert label(sighting, 3, require) == text


def test_what_is_not_required_is_not_drawn() -> None:
    bare = replace(somebody(vest=MISSING), helmet=UNKNOWN)
    with_vest = annotate(grey(), (bare,), require=("vest",))
    without = annotate(grey(), (bare,), require=("helmet",))
    assert tuple(with_vest[210, 210]) == VERMILION
    assert (without[210, 210] == 128).all()


coordinate = st.floats(-1e7, 1e7) | st.integers(-5, 305).map(float)
boxes = st.tuples(coordinate, coordinate, coordinate, coordinate)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    state: State = draw(st.sampled_from(["worn", "missing", "unknown"]))
    reason: Reason = "hidden"
    return Finding(state, reason=reason) if state == "unknown" else Finding(state, 0.5, draw(boxes))


@st.composite
def people(draw: st.DrawFn) -> Sighting:
    return Sighting(draw(boxes), draw(st.booleans()), 0.5, 10, 10, draw(findings()), draw(findings()))


@given(st.integers(1, 300), st.integers(1, 300), st.lists(people(), max_size=8).map(tuple))
def test_it_never_fails_whoever_is_seen(width: int, height: int, crowd: tuple[Sighting, ...]) -> None:
    image = grey(width, height)
    drawn = annotate(image, crowd)
    assert drawn.shape == image.shape
    assert (image == 128).all()


def _boxes(count: int) -> st.SearchStrategy[np.ndarray]:
    corner = st.tuples(st.integers(0, 380), st.integers(0, 280), st.integers(5, 120), st.integers(5, 250))
    return st.lists(corner, min_size=count, max_size=count).map(
        lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], dtype=np.float64).reshape(-1, 4)
    )


@given(st.integers(0, 15).flatmap(_boxes), st.integers(10, 200), st.integers(8, 60))
def test_labels_stay_inside_the_picture(standing: np.ndarray, wide: int, high: int) -> None:
    sizes = np.tile([wide, high], (len(standing), 1)).astype(np.int64)
    corners = place(sizes, standing, standing, 400, 300)
    assert corners.shape == (len(standing), 2)
    assert (corners >= 0).all()
    assert (corners + sizes <= [400, 300]).all()


def test_a_label_hides_no_head_where_there_is_room() -> None:
    standing = np.array([[100, 100, 160, 250], [100, 40, 160, 90]], dtype=np.float64)  # one right above the other
    heads = np.array([[110, 100, 150, 125], [110, 60, 150, 90]], dtype=np.float64)
    sizes = np.array([[60, 20], [60, 20]], dtype=np.int64)
    for x, y in place(sizes, standing, heads, 640, 480):
        for x1, y1, x2, y2 in heads:
            assert x + 60 <= x1 or x >= x2 or y + 20 <= y1 or y >= y2
