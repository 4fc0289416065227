"""Add boxes that labellers left out, from a model that is sure of them.

A head without a label teaches that there is none. What a model trained on the same pictures sees in spite of that is
worth more than the gap (self-training; Xie et al., "Self-training with Noisy Student", 2020). What was added is counted
and told in the provenance of the prepared set, never passed off as a label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from service.lab.checking.looking import open_picture
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import LabelledBox, clipped
from service.ports import Detector
from service.safety.equipment import CLASSES, OPPOSITE
from service.safety.overlap import iou

SURE: Final = 0.5
"""Confidence from which a box is taken for one that lacks its label."""
TOUCHING: Final = 0.3
"""Overlap (IoU) from which a box is the one that is labelled, whatever its edges."""

SeeBoxes = Callable[[Path], tuple[LabelledBox, ...]]
"""Picture -> the boxes a model is sure of, the surest first; their labels are the product's classes."""


def open_completing(detector: Detector, sure: float = SURE) -> SeeBoxes:
    """Return what a detector is sure of on a picture.

    Raises (when called):
        DatasetError: the picture can't be read.
    """

    def see(path: Path) -> tuple[LabelledBox, ...]:
        image = open_picture(path)
        if image is None:
            raise DatasetError(path, "can't be read as a picture")
        found = detector.detect(image)
        relative = found.boxes / np.array([found.width, found.height] * 2)
        rows = [row for row in np.argsort(-found.confidence) if found.confidence[row] >= sure]
        boxes = (clipped(CLASSES[found.class_id[row]], *map(float, relative[row])) for row in rows)
        return tuple(box for box in boxes if box is not None)

    return see


def lacking(labels: Sequence[LabelledBox], seen: Sequence[LabelledBox]) -> tuple[LabelledBox, ...]:
    """Return those of the boxes seen that no label stands for.

    A label stands for what overlaps it and is of its class, or says the opposite (helmet and no-helmet): where the
    model and a label contradict each other the label is left to stand.

    Args:
        labels: named by the product's classes.
        seen: likewise, the surest first.
    """
    known, added = list(labels), []
    for box in seen:
        rivals = [one.corners for one in known if one.label in (box.label, OPPOSITE.get(box.label))]
        if not rivals or iou([box.corners], rivals).max() < TOUCHING:
            known.append(box)
            added.append(box)
    return tuple(added)
