"""Stand in for person truth where nobody has looked: who is there and what they wear, as far as the labels settle it.

The product's own association says which label belongs to whom. Whom it can't settle is not judgeable and counts
nowhere. What labels and association get wrong shows nowhere either; the report says so (`grounds`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from pathlib import Path
from typing import Final

from service.lab.boxes import labelled
from service.lab.dataset.cards import Card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.layouts import read_export
from service.lab.dataset.records import Split
from service.lab.truth import TruthPerson, TruthPicture, TruthSplit
from service.lab.truth_review.decisions import Judgement
from service.pictures.decode import PictureError, PictureLimits, read_picture
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES, EQUIPMENT, MISSING_CLASS, WORN_CLASS, Equipment
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds
from service.safety.wearing import Sighting, sightings

EVERY_LABEL: Final = Thresholds(
    confidence=dict.fromkeys(CLASSES, 0.0), inferred_confidence=0.0, minimum_height=dict.fromkeys(EQUIPMENT, 0.0)
)
SAME: Final = 0.5
"""Overlap (IoU) from which a helmet and a bare head, or a vest and none, are said of one head or torso."""


def people_by_labels(labels: Detections, *, guessed: bool = False) -> tuple[TruthPerson, ...]:
    """Return the people of one picture's labels.

    Args:
        labels: heads in one convention (`boxes.labelled`).
        guessed: judge those too whom only a head or a torso gives away; where exactly they stand is a guess, so that
            a model can't be held to it.
    """

    def judgement(one: Sighting, equipment: Equipment) -> Judgement:
        found = one.of(equipment)
        if found.state == "unknown" or found.box is None or (one.box_inferred and not guessed):
            return "not_judgeable"
        opposite = MISSING_CLASS[equipment] if found.state == "worn" else WORN_CLASS[equipment]
        contradicted = (iou([found.box], labels.boxes[labels.of(opposite)]) >= SAME).any()
        return "not_judgeable" if contradicted else found.state

    return tuple(
        TruthPerson(one.box, judgement(one, "helmet"), judgement(one, "vest"), "labels")
        for one in sightings(labels, EVERY_LABEL, labels=True)
    )


def truth_by_labels(card: Card, folder: Path, splits: Container[Split]) -> list[TruthPicture]:
    """Return a row for every picture of an export's valid and test that `splits` names, by split and file name.

    Guessed people are judged (`people_by_labels`): this is to cut by, not to judge by.

    Raises:
        DatasetError: the export or a picture can't be read.
    """
    rows = []
    wanted: dict[str, TruthSplit] = {split: split for split in ("valid", "test") if split in splits}
    for picture in read_export(folder):
        if picture.split in wanted:
            content = picture.path.read_bytes()
            height, width = upright(picture.path, content).shape[:2]
            people = people_by_labels(labelled(picture, card, "one convention", width, height), guessed=True)
            digest = hashlib.sha256(content).hexdigest()
            rows.append(TruthPicture(picture.path.name, wanted[picture.split], digest, width, height, people))
    return sorted(rows, key=lambda row: (row.split != "valid", row.picture))


def upright(path: Path, content: bytes) -> Image:
    """Decode a picture of a dataset as the service decodes one.

    Raises:
        DatasetError: it can't be.
    """
    try:
        return read_picture(content, PictureLimits())
    except PictureError as error:
        raise DatasetError(path, f"can't be judged: {error.detail}") from error
