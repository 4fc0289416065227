"""Where a trained model confidently disagrees with labels: a box that lacks, another class, a loose box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from service.lab.checking.findings import SHOWN, Code, Example, Finding
from service.lab.checking.looking import Boxes, corners, open_picture
from service.lab.checking.survey import Mask, Seen, Survey
from service.lab.dataset.cards import Card
from service.lab.dataset.records import LabelledBox, clipped
from service.ports import Detector
from service.safety.equipment import CLASS_ID, CLASSES, OPPOSITE
from service.safety.overlap import iou

SURE: Final = 0.6
"""Confidence from which the model's word is weighed against the label's."""
FITS: Final = 0.6
"""IoU from which a label's box is as good as the model's."""
TOUCHES: Final = 0.1
"""IoU from which a label is taken to mean what the model sees, however loose its box is."""
MANY: Final = 0.05
Kind = Literal["missing", "wrong", "loose"]
_TOLD: Final[tuple[tuple[Kind, Code, str, str, str], ...]] = (
    (
        "missing",
        "model-missing-box",
        "The model sees what nobody labelled",
        "boxes of the model have no label",
        "Label them.",
    ),
    (
        "wrong",
        "model-wrong-class",
        "The model sees the opposite",
        "labels say the opposite of the model",
        "Correct the class.",
    ),
    (
        "loose",
        "model-loose-box",
        "Boxes are looser or tighter than the model's",
        "labels overlap the model's box by an IoU of 0.1 to 0.6 only",
        "Draw them again, or bring their convention to the product's by the card's [box_heights].",
    ),
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One box of the model that the labels contradict; `label` is the box it contradicts, `shared` their IoU."""

    kind: Kind
    seen: Seen
    confidence: float
    shared: float
    box: LabelledBox
    label: LabelledBox | None


def find(survey: Survey, detector: Detector, on_picture: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """Run the model over the set and yield its doubts, the surest first; of loose boxes the loosest."""
    labelled = {name for split in survey.splits for name, count in survey.counts(split).items() if count}
    doubts: list[Doubt] = []
    for one in survey.seen:
        doubts += [doubt for doubt in _doubts(one, survey.card, detector) if doubt.box.label in labelled]
        on_picture(one.picture.path.name)
    total = int((survey.table.class_id >= 0).sum())
    for kind, code, title, what, mend in _TOLD:
        mine = sorted((doubt for doubt in doubts if doubt.kind == kind), key=_rank)
        if mine:
            yield Finding(
                code,
                "warning" if len(mine) >= MANY * total else "note",
                title,
                f"{len(mine):,} {what}, against {total:,} labels (confidence from {SURE:g}). A model errs too: look.",
                mend,
                len(mine),
                total,
                tuple(_example(doubt) for doubt in mine[:SHOWN]),
            )


def _doubts(one: Seen, card: Card, detector: Detector) -> Iterator[Doubt]:
    image = open_picture(one.picture.path)
    if image is None:
        return
    named = [(card.target(box.label), box.with_height(card.box_height(box.label))) for box in one.picture.boxes]
    labels = [(target, box) for target, box in named if target is not None]
    places = corners(box for _, box in labels)
    size = one.look.width, one.look.height
    found = detector.detect(image)
    relative = found.boxes.astype(np.float64) / (*size, *size)
    overlaps = iou(relative, places) if labels else np.zeros((len(relative), 0))
    meant = np.array([CLASS_ID[target] for target, _ in labels], dtype=np.int64)
    fits = (overlaps >= FITS) & (found.class_id[:, None] == meant)
    for row in np.flatnonzero((found.confidence >= SURE) & ~fits.any(axis=1)):
        name = CLASSES[found.class_id[row]]
        box = clipped(name, *(float(value) for value in relative[row]))
        if box is None:
            continue
        # a label that another box fits is that one's: it says nothing of a neighbour beside it
        best, shared = _nearest(overlaps[row], (meant == CLASS_ID[name]) & ~fits.any(axis=0))
        against, crossed = _nearest(overlaps[row], np.array([CLASSES[id_] == OPPOSITE.get(name) for id_ in meant]))
        confidence = float(found.confidence[row])
        if crossed >= 0.5 and crossed > shared:
            yield Doubt("wrong", one, confidence, crossed, box, labels[against][1])
        elif shared >= TOUCHES:
            yield Doubt("loose", one, confidence, shared, box, labels[best][1])
        else:
            yield Doubt("missing", one, confidence, 0.0, box, None)


def _nearest(overlaps: Boxes, among: Mask) -> tuple[int, float]:
    """Return which label of those `among` overlaps a box most, and by how much; 0 where there is none."""
    if not among.any():
        return 0, 0.0
    best = int(np.argmax(np.where(among, overlaps, -1.0)))
    return best, float(overlaps[best])


def _rank(doubt: Doubt) -> float:
    return doubt.shared if doubt.kind == "loose" else -doubt.confidence


def _example(doubt: Doubt) -> Example:
    said = f"model (white): {doubt.box.label} {doubt.confidence:.2f}"
    label = f", label: {doubt.label.label}, IoU {doubt.shared:.2f}" if doubt.label else ""
    mine = replace(doubt.box, label="")
    boxes = (mine, doubt.label) if doubt.label else (mine,)
    return Example(doubt.seen.picture.path, f"{doubt.seen.picture.path.name}\n{said}{label}", boxes)
