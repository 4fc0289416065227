"""Score boxes against labels: average precision (supervision's COCO evaluation), curves, confusion, single hits.

Labels are read in two ways. ``published`` are the publisher's boxes as they are. ``one convention`` are those that
`prepare` trains on: the card's ``box_heights`` bring heads that are boxed by other habits to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from supervision.metrics import MeanAveragePrecision

from service.detectors.boxes import MOST
from service.lab.dataset.cards import Card
from service.lab.dataset.records import Picture
from service.safety.detections import Detections, empty
from service.safety.equipment import CLASS_ID, CLASSES
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds

Labels = Literal["one convention", "published"]
LABELS: Final[tuple[Labels, ...]] = ("one convention", "published")
HIT_IOU: Final = 0.5
RECALLS: Final = np.linspace(0, 1, 101)
"""Where a precision-recall curve is read (COCO)."""

Pair = tuple[Detections, Detections]
"""What was seen on one picture and what is labelled there; labels are detections of confidence 1."""


def labelled(picture: Picture, card: Card, labels: Labels, width: int, height: int) -> Detections:
    """Return a picture's labels that the card names, in pixels of a picture of this size."""
    card = card.as_published() if labels == "published" else card
    rows, classes = [], []
    for box in picture.boxes:
        target = card.target(box.label)
        if target is not None:
            tall = box.with_height(card.box_height(box.label))
            rows.append((tall.cx - tall.w / 2, tall.cy - tall.h / 2, tall.cx + tall.w / 2, tall.cy + tall.h / 2))
            classes.append(CLASS_ID[target])
    if not rows:
        return empty(width, height)
    corners = np.clip(np.array(rows), 0, 1) * [width, height, width, height]
    solid = (corners[:, 2:] - corners[:, :2] > 1e-3).all(axis=1)
    return Detections(corners[solid], np.ones(solid.sum()), np.array(classes)[solid], width, height)


def average_precision(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return ``AP50 <class>`` and ``AP50-95 <class>`` of every class that is labelled, and their means."""
    present = sorted({int(class_id) for _, labels in pairs for class_id in labels.class_id})
    if not present:
        return {}
    metric = MeanAveragePrecision(max_detection_thresholds=(1, 10, MOST))
    metric.update([_theirs(seen) for seen, _ in pairs], [_theirs(labels) for _, labels in pairs])
    result = metric.compute()
    rows = {int(class_id): row for class_id, row in zip(result.matched_classes, result.ap_per_class, strict=True)}
    found = {f"AP50 {CLASSES[class_id]}": round(float(rows[class_id][0]), 4) for class_id in present}
    found |= {f"AP50-95 {CLASSES[class_id]}": round(float(rows[class_id].mean()), 4) for class_id in present}
    found["AP50 mean"] = round(float(np.mean([rows[class_id][0] for class_id in present])), 4)
    found["AP50-95 mean"] = round(float(np.mean([rows[class_id].mean() for class_id in present])), 4)
    return found


def confusion(pairs: Sequence[Pair], thresholds: Thresholds) -> list[list[int]]:
    """Return how often a label (row) was seen as a class (column) at the product's thresholds and IoU 0.5.

    Rows and columns are the classes in their order; the last column holds labels that nothing fits, the last row boxes
    that fit no label.
    """
    floor = np.array(thresholds.per_class_id())
    counted = sv.ConfusionMatrix.from_detections(
        predictions=[_theirs(seen.where(seen.confidence >= floor[seen.class_id])) for seen, _ in pairs],
        targets=[_theirs(labels) for _, labels in pairs],
        classes=list(CLASSES),
        conf_threshold=0.0,
        iou_threshold=HIT_IOU,
    )
    return [[int(cell) for cell in row] for row in counted.matrix]


def _theirs(boxes: Detections) -> sv.Detections:
    return sv.Detections(xyxy=boxes.boxes, confidence=boxes.confidence, class_id=boxes.class_id)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """All boxes of one class over some pictures, strongest first, and whether each hits a label.

    Attributes:
        confidence: (n,) float64.
        hit: (n,) bool: at IoU 0.5, one label a box, stronger boxes first.
        picture, box: (n,) int64: which picture, and which of its detections.
        labels: (pictures,) int64: how many labels each picture holds.
        best: per picture, (labels,) float64: the confidence of the box that hits each label; 0 where none does.
    """

    confidence: NDArray[np.float64]
    hit: NDArray[np.bool_]
    picture: NDArray[np.int64]
    box: NDArray[np.int64]
    labels: NDArray[np.int64]
    best: tuple[NDArray[np.float64], ...]


def hits(pairs: Sequence[Pair], class_id: int) -> Hits:
    """Match the boxes of one class with its labels as COCO does: a stronger box takes the label it fits best first."""
    rows: list[tuple[float, bool, int, int]] = []
    best = []
    for number, (seen, labels) in enumerate(pairs):
        mine = np.flatnonzero(seen.of(class_id))
        mine = mine[np.argsort(-seen.confidence[mine], kind="stable")]
        overlap = iou(seen.boxes[mine], labels.boxes[labels.of(class_id)])
        taken = np.zeros(overlap.shape[1])
        for box, fits in zip(mine, overlap, strict=True):
            free = np.where(taken > 0, 0.0, fits)
            hit = bool(free.size) and bool(free.max() >= HIT_IOU)
            confidence = float(seen.confidence[box])
            if hit:
                taken[int(free.argmax())] = confidence
            rows.append((confidence, hit, number, int(box)))
        best.append(taken)
    rows.sort(key=lambda row: -row[0])
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Hits(
        np.array(columns[0], dtype=np.float64),
        np.array(columns[1], dtype=np.bool_),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.int64),
        np.array([len(one) for one in best], dtype=np.int64),
        tuple(best),
    )


def curve(found: Hits, weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the (101,) interpolated precision at `RECALLS`; its mean is COCO's average precision at IoU 0.5.

    Args:
        found: boxes of one class.
        weight: (pictures,) how often each picture counts; without it, once.

    Returns:
        NaN throughout where nothing is labelled.
    """
    weight = np.ones(len(found.labels)) if weight is None else weight
    total = float(weight @ found.labels)
    if not total:
        return np.full(len(RECALLS), np.nan)
    each = weight[found.picture]
    right = np.cumsum(each * found.hit)
    precision = right / np.maximum(np.cumsum(each), 1e-12)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(right / total, RECALLS - 1e-12, side="left")
    reached: NDArray[np.float64] = np.append(precision, 0.0)[place]
    return reached
