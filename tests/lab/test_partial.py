"""A set whose labellers had no word for a class must not teach that there is none of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.detectors.manifest import WeightsFile
from service.lab.dataset.cards import Card, read_card
from service.lab.dataset.completing import open_completing
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.partial import without_label
from service.lab.dataset.prepare import Source, prepare
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from service.settings import shipped
from tests.lab.test_dataset import CARD, coco, export

NAMES = ["Hardhat", "Person", "Safety Vest", "NO-Hardhat"]
BY = WeightsFile(file="ours.onnx", sha256="ab" * 32)


def without(*labels: str) -> Card:
    return CARD.model_copy(update={"labels": {name: to for name, to in CARD.labels.items() if to not in labels}})


def seeing(image: np.ndarray) -> Detections:
    """See somebody without a vest in the left half, whatever the picture."""
    height, width = image.shape[:2]
    boxes = np.array([[0, 0, width / 2, height], [0, height / 4, width / 2, height / 2]])
    return Detections(boxes, np.array([0.9, 0.8]), np.array([CLASSES.index("person"), 3]), width, height)


def test_what_the_card_or_the_export_has_no_word_for(tmp_path: Path) -> None:
    folder = export(tmp_path / "one")
    assert without_label(CARD, folder) == ()
    assert without_label(without("no-vest", "helmet"), folder) == ("helmet", "no-vest")
    assert without_label(CARD, export(tmp_path / "two", nc=4, names=NAMES)) == ("no-vest",)
    assert without_label(CARD, export(tmp_path / "three", nc=4, names=dict(enumerate(NAMES)))) == ("no-vest",)


def test_people_are_asked_for_by_the_card(tmp_path: Path) -> None:
    folder = export(tmp_path / "one", nc=4, names=["Hardhat", "NO-Hardhat", "Safety Vest", "NO-Safety Vest"])
    assert without_label(CARD, folder) == ("person",)
    assert without_label(CARD.model_copy(update={"people_labelled": False}), folder) == ()


def test_coco_categories_are_its_words(tmp_path: Path) -> None:
    assert without_label(CARD, coco(tmp_path / "two")) == ("helmet", "no-helmet", "vest", "no-vest")


@pytest.mark.parametrize("card", ["construction-site-safety", "construction-safety-rf100", "safety-vest-v4", "generic"])
def test_shipped_cards_have_a_word_for_every_class(card: str, tmp_path: Path) -> None:
    known = read_card(shipped("datasets") / f"{card}.toml")
    assert without_label(known, export(tmp_path / "one", nc=len(known.labels), names=list(known.labels))) == ()


def test_it_is_refused_and_the_way_out_is_named(tmp_path: Path) -> None:
    folder = export(tmp_path / "one")
    with pytest.raises(DatasetError, match=r"made has no label for no-vest: .* --labels-from"):
        prepare([Source(without("no-vest"), folder)], tmp_path / "out")
    with pytest.raises(DatasetError, match="made has no label for vest, no-vest: "):
        prepare([Source(without("vest", "no-vest"), folder)], tmp_path / "out")
    with pytest.raises(
        DatasetError, match=r"made has no label for person: .* people_labelled = false and --people-from"
    ):
        prepare([Source(without("person"), folder)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_trained_on_teaches_nothing(tmp_path: Path) -> None:
    source = Source(without("no-vest"), export(tmp_path / "one"))
    prepare([source], tmp_path / "judged", splits=("valid",))
    prepare([Source(CARD, coco(tmp_path / "two"))], tmp_path / "out")  # it holds a valid split only


def test_weights_complete_a_class_that_nobody_labelled(tmp_path: Path) -> None:
    source = Source(without("no-vest"), export(tmp_path / "one"))
    sure = open_completing(FakeDetector(seeing))
    counts = prepare([source], tmp_path / "out", sure_of=sure, labels_from=BY)
    assert counts.as_json()["labels_added"] == {"made/train/no-vest": 1, "made/train/person": 1}
    rows = (tmp_path / "out/train/labels/made__train_jpg.rf.abc.txt").read_text(encoding="utf-8").splitlines()
    assert [row[0] for row in rows] == ["0", "4", "3"]
    train, valid = map(json.loads, (tmp_path / "out/provenance.jsonl").read_text(encoding="utf-8").splitlines())
    assert (train["labels_from"], train["labels_added"]) == ({"file": "ours.onnx", "sha256": "ab" * 32}, 2)
    assert (valid["labels_from"], valid["labels_added"]) == (None, 0)


def test_what_they_could_not_complete_is_counted(tmp_path: Path) -> None:
    source = Source(without("no-vest", "vest"), export(tmp_path / "one"))
    counts = prepare([source], tmp_path / "out", sure_of=open_completing(FakeDetector(seeing)), labels_from=BY)
    assert counts.as_json()["labels_added"] == {"made/train/no-vest": 1, "made/train/person": 1, "made/train/vest": 0}
