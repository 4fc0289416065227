"""Hand-made truth and hand-made sightings to count, and a small picture set to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from service.lab.counting import Judged
from service.lab.dataset.cards import Card
from service.lab.dataset.prepare import Source
from service.lab.truth import TruthPerson, TruthPicture, TruthSplit, write_truth
from service.lab.truth_review.decisions import Judgement
from service.safety.equipment import State
from service.safety.inference import Box
from service.safety.wearing import Finding, Sighting

STATES: tuple[State, ...] = get_args(State)

CARD = Card(
    name="made",
    title="Made up",
    publisher="a test",
    version="1",
    licence="none",
    how_to_get="run the test",
    people_labelled=True,
    labels={"helmet": "helmet", "vest": "vest", "person": "person"},
)


def person(box: Box, helmet: Judgement = "worn", vest: Judgement = "worn") -> TruthPerson:
    return TruthPerson(box, helmet, vest, "looked")


def said(box: Box, helmet: State = "worn", vest: State = "worn", scale: float = 1.0) -> Sighting:
    height = box[3] - box[1]
    findings = {state: Finding(state, reason="no_evidence" if state == "unknown" else None) for state in STATES}
    return Sighting(box, False, 0.9, height * scale, height, findings[helmet], findings[vest])


def judged(truth: list[TruthPerson], sightings: list[Sighting], scale: float = 1.0) -> Judged:
    picture = TruthPicture("a.png", "valid", "0" * 64, 1000, 1000, tuple(truth))
    return Judged(picture, tuple(sightings), scale)


def picture_set(
    folder: Path, people: Mapping[str, tuple[TruthPerson, ...]], split: TruthSplit = "valid"
) -> tuple[Source, Path]:
    """Write one grey 640x480 picture a name, and the truth about them.

    Returns:
        the export and the truth file.
    """
    images = folder / "export" / split / "images"
    images.mkdir(parents=True)
    rows = []
    for index, (name, listed) in enumerate(people.items()):
        cv2.imwrite(str(images / name), np.full((480, 640, 3), 90 + index, np.uint8))
        digest = hashlib.sha256((images / name).read_bytes()).hexdigest()
        rows.append(TruthPicture(name, split, digest, 640, 480, listed))
    key = "val" if split == "valid" else split
    described = f"{key}: {split}/images\nnames: [helmet, vest, person]\n"
    (folder / "export" / "data.yaml").write_text(described, encoding="utf-8")
    truth = folder / "truth" / "made.jsonl"
    truth.parent.mkdir()
    write_truth(truth, rows)
    return Source(CARD, folder / "export"), truth
