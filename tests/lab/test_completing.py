from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.detectors.fake import FakeDetector
from service.lab.dataset.completing import TOUCHING, lacking, open_completing
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import Source, prepare
from service.lab.dataset.records import LabelledBox
from service.safety.detections import Detections
from service.safety.equipment import CLASSES, OPPOSITE
from service.safety.overlap import iou
from tests.lab.test_dataset import CARD, export


def box(label: str, cx: float, cy: float = 0.5, w: float = 0.2, h: float = 0.2) -> LabelledBox:
    return LabelledBox(label, cx, cy, w, h)


def test_adds_what_no_label_stands_for() -> None:
    seen = [box("helmet", 0.2), box("person", 0.2), box("helmet", 0.8)]
    assert lacking([box("helmet", 0.21)], seen) == (seen[1], seen[2])


def test_where_a_label_says_the_opposite_it_stands() -> None:
    assert lacking([box("no-helmet", 0.5)], [box("helmet", 0.51)]) == ()
    assert lacking([box("no-vest", 0.5)], [box("vest", 0.5)]) == ()


def test_of_two_words_on_one_head_the_surer_is_taken() -> None:
    seen = [box("helmet", 0.5), box("no-helmet", 0.5)]
    assert lacking([], seen) == (seen[0],)


middle, side = st.floats(0.2, 0.8), st.floats(0.01, 0.4)
drawn = st.lists(st.builds(LabelledBox, st.sampled_from(CLASSES), middle, middle, side, side), max_size=8)


@given(drawn, drawn)
def test_what_is_added_touches_nothing_that_speaks_of_the_same(
    known: list[LabelledBox], offered: list[LabelledBox]
) -> None:
    added = lacking(known, offered)
    for place, one in enumerate(added):
        rivals = [other for other in [*known, *added[:place]] if other.label in (one.label, OPPOSITE.get(one.label))]
        assert all(iou([one.corners], [other.corners])[0, 0] < TOUCHING for other in rivals)
    assert lacking([*known, *added], offered) == ()


def seeing(image: np.ndarray) -> Detections:
    height, width = image.shape[:2]
    boxes = [[0, 0, width / 4, height / 4], [0, 0, width, height], [width / 2, height / 2, width, height]]
    return Detections(np.array(boxes), np.array([0.6, 0.9, 0.4]), np.array([0, 4, 1]), width, height)


def test_what_it_is_sure_of_comes_the_surest_first(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    detector = FakeDetector(seeing)
    assert [one.label for one in open_completing(detector)(path)] == ["person", "helmet"]
    assert len(open_completing(detector, 0.3)(path)) == 3
    (person, helmet) = open_completing(detector)(path)
    assert person.corners == pytest.approx((0, 0, 1, 1))
    assert helmet.corners == pytest.approx((0, 0, 0.25, 0.25))


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_text("no picture")
    with pytest.raises(DatasetError, match=r"one\.png"):
        open_completing(FakeDetector())(tmp_path / "one.png")


def test_only_what_is_trained_on_is_completed_and_it_is_told(tmp_path: Path) -> None:
    source = Source(CARD, export(tmp_path / "one"))
    counts = prepare([source], tmp_path / "out", sure_of=open_completing(FakeDetector(seeing))).as_json()
    assert counts["labels_added"] == {"made/train/helmet": 1, "made/train/person": 1}
    assert counts["boxes"] == {"made/train/helmet": 1, "made/valid/helmet": 1}
    rows = (tmp_path / "out/train/labels/made__train_jpg.rf.abc.txt").read_text().splitlines()
    assert [row[0] for row in rows] == ["0", "4", "0"]
    assert len((tmp_path / "out/valid/labels/made__valid_jpg.rf.abc.txt").read_text().splitlines()) == 1
    provenance = (tmp_path / "out/provenance.jsonl").read_text()
    assert '"labels_added": 2' in provenance


def test_a_label_stands_for_what_is_seen_in_its_place(tmp_path: Path) -> None:
    source = Source(CARD, export(tmp_path / "one", rows="0 0.125 0.125 0.25 0.25\n"))
    counts = prepare([source], tmp_path / "out", sure_of=open_completing(FakeDetector(seeing))).as_json()
    assert counts["labels_added"] == {"made/train/person": 1}
