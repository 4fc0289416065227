"""Where nobody judged a set by eye its labels are taken, as far as they settle who wears what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.lab import evaluate, grounds, looking, report
from service.lab.by_labels import people_by_labels, truth_by_labels
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import Source
from service.lab.splits import CutPicture
from service.lab.truth import TruthPerson
from service.ports import Image
from service.safety.detections import Detections
from service.safety.thresholds import Thresholds
from tests.cli.workers import photo
from tests.lab.people import CARD
from tests.lab.test_evaluate import manifest
from tests.safety.scenes import Row, head_of, person_at, scene, torso_of

LEFT, RIGHT = person_at(100, 60, 120, 360, 1.0), person_at(400, 60, 120, 360, 1.0)
WORDS = ("helmet", "no-helmet", "vest", "no-vest", "person")
MINE = CARD.model_copy(update={"name": "mine", "labels": {name: name for name in WORDS}})
DRESSED: tuple[Row, ...] = (LEFT, head_of(LEFT), torso_of(LEFT))
BARE: tuple[Row, ...] = (LEFT, head_of(LEFT, "no-helmet"), torso_of(LEFT), RIGHT, head_of(RIGHT))


def labelled_set(folder: Path, split: str = "valid", **pictures: tuple[Row, ...]) -> Source:
    """Write greys of 640x480 whose labels are rows of a scene."""
    for number, (name, rows) in enumerate(pictures.items()):
        photo(folder / split / "images" / f"{name}.png", 640, 480, 90 + number)
        labels = folder / split / "labels" / f"{name}.txt"
        labels.parent.mkdir(exist_ok=True)
        lines = []
        for label, _, (x1, y1, x2, y2) in rows:
            centre = f"{(x1 + x2) / 2 / 640} {(y1 + y2) / 2 / 480}"
            lines.append(f"{WORDS.index(label)} {centre} {(x2 - x1) / 640} {(y2 - y1) / 480}\n")
        labels.write_text("".join(lines), encoding="utf-8")
    config = folder / "data.yaml"
    before = config.read_text(encoding="utf-8") if config.is_file() else f"names: [{', '.join(WORDS)}]\n"
    config.write_text(f"{before}{'val' if split == 'valid' else split}: {split}/images\n", encoding="utf-8")
    return Source(MINE, folder)


def bare_left(image: Image) -> Detections:
    """See the left worker without a helmet, whatever the picture."""
    rows = (LEFT, head_of(LEFT, "no-helmet"), torso_of(LEFT))
    return scene(*rows, width=image.shape[1], height=image.shape[0])


@pytest.fixture
def detector() -> Iterator[FakeDetector]:
    made = FakeDetector(bare_left)
    yield made
    made.close()


def test_people_wear_what_the_labels_settle() -> None:
    labels = scene(*BARE, width=640, height=480)
    assert people_by_labels(labels) == (
        TruthPerson(LEFT[2], "missing", "worn", "labels"),
        TruthPerson(RIGHT[2], "worn", "not_judgeable", "labels"),
    )


def test_small_people_and_people_side_by_side_count_as_the_labels_say() -> None:
    small, near = person_at(100, 60, 8, 24, 1.0), person_at(138, 60, 120, 360, 1.0)
    assert people_by_labels(scene(small, head_of(small), width=640, height=480))[0].helmet == "worn"
    found = people_by_labels(scene(LEFT, near, head_of(LEFT), head_of(near, "no-helmet"), width=640, height=480))
    assert sorted(one.helmet for one in found) == ["missing", "worn"]  # boxes that overlap are two people in labels


def test_labels_that_contradict_each_other_settle_nothing() -> None:
    both = scene(LEFT, head_of(LEFT), head_of(LEFT, "no-helmet"), torso_of(LEFT), width=640, height=480)
    (one,) = people_by_labels(both)
    assert (one.helmet, one.vest) == ("not_judgeable", "worn")


def test_somebody_without_a_box_of_their_own_is_not_judged() -> None:
    """The labels say that somebody is there; where exactly is a guess."""
    labels = scene(head_of(LEFT, "no-helmet"), torso_of(LEFT), width=640, height=480)
    (one,) = people_by_labels(labels)
    assert (one.helmet, one.vest, one.how) == ("not_judgeable", "not_judgeable", "labels")
    (guessed,) = people_by_labels(labels, guessed=True)
    assert (guessed.helmet, guessed.vest) == ("missing", "worn")


def test_a_set_without_truth_is_measured_from_its_labels(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", a=BARE, b=DRESSED)
    groups = looking.look_at_all(detector, [source], {})
    assert list(groups) == ["mine/valid"]
    assert [(one.truth.picture, one.ground) for one in groups["mine/valid"]] == [
        ("a.png", "labels"),
        ("b.png", "labels"),
    ]
    found = evaluate.measure(manifest(tmp_path, "onnx"), [source], groups, Thresholds())
    helmet = found["people"]["mine/valid"]["all"]["helmet"]
    assert (helmet["missing"], helmet["true_positive"], helmet["false_positive"], helmet["worn"]) == (1, 1, 1, 2)
    assert found["people"]["mine/valid"]["all"]["vest"]["not_judgeable"] == 1
    assert found["people"]["mine/valid"]["slices"]["blurred"]["helmet"]["missing"] == 1
    assert found["boxes"]["mine/valid"]["ap"]["published"]["AP50 person"] > 0.6
    assert found["boxes"]["mine/valid"]["calibration"]["no-helmet"]["error"] is not None
    assert found["people_from"] == {"mine": "labels"}


def test_a_class_that_nobody_labelled_has_no_calibration(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", a=(LEFT, head_of(LEFT)))
    boxes = evaluate.box_report(looking.look_at_all(detector, [source], {})["mine/valid"], Thresholds())
    assert boxes["calibration"]["vest"] == {"error": None, "bins": []}  # every vest that is seen would be an error
    assert boxes["calibration"]["person"]["error"] is not None


def test_the_report_says_so(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", a=BARE, b=DRESSED)
    groups = looking.look_at_all(detector, [source], {})
    found = evaluate.measure(manifest(tmp_path, "onnx"), [source], groups, Thresholds(), with_boxes=False)
    page = grounds.page(found)
    assert page.startswith("# Evaluation of made 7\n\n**mine has no person truth.**")
    assert "0 of 3 people for helmets and 1 of 3 for vests" in " ".join(page.split())
    assert report.markdown(found).removeprefix("# Evaluation of made 7") in page
    assert grounds.told({**found, "people_from": {"mine": "truth"}}) == ""
    assert grounds.page({**found, "people_from": {"mine": "truth"}}) == report.markdown(found)


def test_a_set_that_labels_no_people_is_judged_by_its_boxes_alone(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", a=(head_of(LEFT), torso_of(LEFT)))
    source = Source(MINE.model_copy(update={"people_labelled": False}), source.folder)
    groups = looking.look_at_all(detector, [source], {})
    found = evaluate.measure(manifest(tmp_path, "onnx"), [source], groups, Thresholds(), served=groups)
    assert found["people"] == {}
    assert found["boxes"]["mine/valid"]["ap"]["published"]["AP50 vest"] == pytest.approx(1.0)
    assert "**mine labels no people" in grounds.page(found)
    assert evaluate.compare(groups, Thresholds(), groups, Thresholds()) == {}


def test_a_cut_parts_it_and_must_be_of_its_pictures(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", a=BARE, b=DRESSED)
    (first, second) = truth_by_labels(MINE, source.folder, ("valid",))
    cut = {
        "a.png": CutPicture("a.png", first.sha256, "one", "tune"),
        "b.png": CutPicture("b.png", second.sha256, "two", "report"),
    }
    groups = looking.look_at_all(detector, [source], {}, cuts={"mine": cut})
    assert list(groups) == ["mine/tune", "mine/report"]
    assert list(looking.look_at_all(detector, [source], {}, cuts={"mine": cut}, tune_only=True)) == ["mine/tune"]
    with pytest.raises(DatasetError, match=r"b\.png is not in the cut of valid; cut it anew"):
        looking.look_at_all(detector, [source], {}, cuts={"mine": {"a.png": cut["a.png"]}})
    other = {**cut, "b.png": CutPicture("b.png", "0" * 64, "two", "report")}
    with pytest.raises(DatasetError, match=r"b\.png is not in the cut of valid; cut it anew"):
        looking.look_at_all(detector, [source], {}, cuts={"mine": other})


def test_what_is_trained_on_is_not_judged_on(tmp_path: Path, detector: FakeDetector) -> None:
    source = labelled_set(tmp_path / "mine", "train", a=BARE)
    with pytest.raises(DatasetError, match="neither a valid nor a test split"):
        looking.look_at_all(detector, [source], {})
    labelled_set(tmp_path / "mine", "test", b=DRESSED)
    assert list(looking.look_at_all(detector, [source], {})) == ["mine/test"]
    assert looking.look_at_all(detector, [source], {}, tune_only=True) == {}


def test_rows_by_labels_know_the_pictures(tmp_path: Path) -> None:
    source = labelled_set(tmp_path / "mine", a=BARE, b=DRESSED)
    rows = truth_by_labels(MINE, source.folder, ("valid", "test"))
    assert [(row.picture, row.split, row.width, row.height, len(row.people)) for row in rows] == [
        ("a.png", "valid", 640, 480, 2),
        ("b.png", "valid", 640, 480, 1),
    ]
    np.testing.assert_allclose(rows[0].people[0].box, LEFT[2], atol=0.01)
