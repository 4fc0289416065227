"""Box metrics on cases that anybody can add up, and the library's and our own curve against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.boxes import Pair, average_precision, confusion, curve, hits, labelled
from service.lab.dataset.cards import Card
from service.lab.dataset.records import LabelledBox, Picture
from service.safety.detections import Detections, empty
from service.safety.equipment import CLASS_ID, CLASSES, ClassName
from service.safety.thresholds import Thresholds
from tests.lab.people import CARD
from tests.safety.scenes import Row, scene

Place = tuple[float, float, float, float]
HERE: Place = (100, 100, 200, 300)
THERE: Place = (500, 100, 600, 300)
FAR: Place = (800, 400, 900, 600)


def labels(*places: Place, name: ClassName = "person") -> Detections:
    return scene(*((name, 1.0, place) for place in places))


def seen(*boxes: tuple[float, Place], name: ClassName = "person") -> Detections:
    return scene(*((name, confidence, place) for confidence, place in boxes))


CASES: list[tuple[list[Pair], float]] = [
    ([(seen((0.9, HERE), (0.8, THERE)), labels(HERE, THERE))], 1.0),
    ([(seen((0.9, HERE)), labels(HERE, THERE))], 51 / 101),
    ([(seen((0.9, FAR), (0.8, HERE)), labels(HERE))], 0.5),
    ([(seen((0.9, HERE), (0.8, FAR)), labels(HERE))], 1.0),
    ([(seen((0.9, HERE), (0.8, HERE)), labels(HERE))], 1.0),
    ([(seen((0.9, HERE), (0.8, HERE), (0.7, THERE)), labels(HERE, THERE))], (51 + 50 * 2 / 3) / 101),
    ([(empty(1000, 800), labels(HERE))], 0.0),
    ([(seen((0.9, FAR)), labels(HERE))], 0.0),
    ([(seen((0.9, HERE)), labels(HERE)), (seen((0.95, HERE)), empty(1000, 800))], 0.5),
]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    CASES,
    ids=["all", "half", "a surer wrong one", "a weaker wrong one", "doubled", "doubled between", "nothing", "beside",
         "on an empty picture"],
)  # fmt: skip
def test_average_precision_of_hand_made_cases(pairs: list[Pair], expected: float) -> None:
    found = average_precision(pairs)
    assert found["AP50 person"] == pytest.approx(expected, abs=1e-4)
    assert found["AP50 mean"] == found["AP50 person"]
    assert curve(hits(pairs, CLASS_ID["person"])).mean() == pytest.approx(expected)


def test_only_labelled_classes_are_scored() -> None:
    pairs = [(scene(("person", 0.9, HERE), ("vest", 0.9, THERE)), labels(HERE))]
    assert set(average_precision(pairs)) == {"AP50 person", "AP50-95 person", "AP50 mean", "AP50-95 mean"}
    assert average_precision([(seen((0.9, HERE)), empty(1000, 800))]) == {}
    assert np.isnan(curve(hits(pairs, CLASS_ID["vest"]))).all()


def test_a_looser_box_counts_for_the_loose_thresholds_only() -> None:
    """IoU 0.72: right from 0.50 to 0.70, five thresholds of ten."""
    found = average_precision([(seen((0.9, (100, 100, 200, 244))), labels(HERE))])
    assert (found["AP50 person"], found["AP50-95 person"]) == (1.0, 0.5)


@st.composite
def pictures(draw: st.DrawFn) -> list[Pair]:
    """Draw labels on a row of places, and boxes that are near them, between them, or of another class."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        there: list[Row] = []
        boxes: list[Row] = []
        for place in range(draw(st.integers(0, 4))):
            box = (200.0 * place, 100.0, 200.0 * place + 100, 300.0)
            name = draw(st.sampled_from(CLASSES[:2]))
            if draw(st.booleans()):
                there.append((name, 1.0, box))
            for _ in range(draw(st.integers(0, 2))):
                shift = draw(st.sampled_from([0, 10, 30, 60]))
                other = draw(st.sampled_from(CLASSES[:2]))
                moved = (box[0] + shift, box[1], box[2] + shift, box[3])
                boxes.append((other, draw(st.integers(1, 10_000)) / 10_000, moved))
        made.append((scene(*boxes), scene(*there)))
    confidences = [float(one) for found, _ in made for one in found.confidence]
    if len(set(confidences)) < len(confidences):  # a tie may be broken either way
        return [(empty(1000, 800), made[0][1])]
    return made


@given(pictures())
def test_our_curve_and_the_library_agree(pairs: list[Pair]) -> None:
    found = average_precision(pairs)
    for number, name in enumerate(CLASSES):
        mine = float(curve(hits(pairs, number)).mean())
        assert np.isnan(mine) == (f"AP50 {name}" not in found)
        assert np.isnan(mine) or found[f"AP50 {name}"] == pytest.approx(mine, abs=1e-4)


@given(pictures(), st.integers(1, 3))
def test_a_picture_that_counts_twice_is_as_good_as_two(pairs: list[Pair], times: int) -> None:
    """Copies tie in confidence, so only that both see a curve, and the label-free end, is compared where none does."""
    weight = np.full(len(pairs), float(times))
    for number in range(len(CLASSES)):
        once = curve(hits(pairs, number))
        assert np.allclose(curve(hits(pairs, number), weight), once, equal_nan=True)


def test_ultralytics_agrees_within_half_a_point(ultralytics: None) -> None:
    """On the same boxes, 60 labels and 240 boxes of one class, ultralytics' curve is a trapezoid, COCO's a step."""
    from ultralytics.utils.metrics import ap_per_class

    rng = np.random.default_rng(1)
    pairs = []
    for _ in range(60):
        confidence = rng.uniform(0.001, 1, 4)
        right = rng.uniform() < 0.8
        places = [HERE if right else FAR, THERE, (0, 0, 50, 50), (300, 400, 350, 450)]
        confidence[0] = max(confidence[0], rng.uniform(0.3, 1))
        boxes = [("person", float(one), place) for one, place in zip(confidence, places, strict=True)]
        pairs.append((scene(*boxes), labels(HERE)))  # type: ignore[arg-type]
    found = hits(pairs, CLASS_ID["person"])
    result = ap_per_class(found.hit[:, None], found.confidence, np.zeros(len(found.hit)), np.zeros(60))
    assert average_precision(pairs)["AP50 person"] == pytest.approx(float(result[5][0, 0]), abs=0.005)


def test_the_surest_box_takes_the_label_and_misses_are_known() -> None:
    pairs = [(seen((0.6, HERE), (0.9, HERE), (0.7, FAR)), labels(HERE, THERE))]
    found = hits(pairs, CLASS_ID["person"])
    assert found.confidence.tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert found.hit.tolist() == [True, False, False]
    assert found.box.tolist() == [1, 2, 0]
    assert found.labels.tolist() == [2]
    assert found.best[0].tolist() == pytest.approx([0.9, 0])


def test_confusion_counts_at_the_thresholds() -> None:
    thresholds = Thresholds()  # 0.35 throughout
    boxes = scene(("no-helmet", 0.9, HERE), ("helmet", 0.34, THERE), ("vest", 0.5, FAR))
    there = scene(("helmet", 1.0, HERE), ("helmet", 1.0, THERE))
    counted = confusion([(boxes, there)], thresholds)
    nothing = len(CLASSES)
    expected = np.zeros((6, 6), int)
    expected[CLASS_ID["helmet"], CLASS_ID["no-helmet"]] = 1
    expected[CLASS_ID["helmet"], nothing] = 1
    expected[nothing, CLASS_ID["vest"]] = 1
    assert counted == expected.tolist()


TALL = Card(**{**CARD.model_dump(), "labels": {"head": "no-helmet", "man": "person"}, "box_heights": {"head": 1.5}})


def test_labels_are_read_in_two_ways() -> None:
    boxes = (
        LabelledBox("head", 0.5, 0.25, 0.1, 0.1),
        LabelledBox("man", 0.5, 0.5, 0.2, 0.6),
        LabelledBox("cone", 0.1, 0.1, 0.1, 0.1),
    )
    picture = Picture(Path("a.jpg"), "valid", boxes)
    published = labelled(picture, TALL, "published", 1000, 800)
    assert published.boxes.tolist() == [pytest.approx([450, 160, 550, 240]), pytest.approx([400, 160, 600, 640])]
    assert published.class_id.tolist() == [CLASS_ID["no-helmet"], CLASS_ID["person"]]
    one = labelled(picture, TALL, "one convention", 1000, 800)
    assert one.boxes.tolist() == [pytest.approx([450, 160, 550, 280]), pytest.approx([400, 160, 600, 640])]


def test_a_picture_without_labels_has_none() -> None:
    assert len(labelled(Picture(Path("a.jpg"), "valid", ()), TALL, "published", 10, 10)) == 0
