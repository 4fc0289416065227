"""Who wears what on one picture: from person boxes and item boxes to one sighting per person.

Where a head or a torso can be on a person's box was measured on 7,000 labelled items of two public datasets in which
exactly one person box holds the item (docs/wearing.md): a head's box begins at the top edge of its person (offset in
head heights: median 0.05, 95th percentile 0.3 to 0.6), a torso's box is centred across and lies between 0.2 and 0.8 of
the height. Those places, not raw overlap, decide which item belongs to whom; the assignment is one-to-one and optimal
(linear sum assignment, Kuhn 1955, as scipy implements it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from service.safety.detections import Detections
from service.safety.equipment import EQUIPMENT, MISSING_CLASS, PERSON, WORN_CLASS, Equipment, Reason, State
from service.safety.inference import Box, inferred_people
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds

Matrix = NDArray[np.float64]
DOUBLE: Final = 0.5
"""A person's box without a head of its own that shares this much (IoU) with one that has one is the same person's."""
SAME_SPOT: Final = 0.5
"""Two items of one equipment are about one head or torso when they share this much of the smaller box."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one picture says about one equipment on one person."""

    state: State
    confidence: float | None = None
    box: Box | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Evidence about one person on one picture; boxes in pixels of the upright picture."""

    box: Box
    box_inferred: bool
    confidence: float
    height: float
    """Pixels of the box as the model saw it; thresholds speak of this one."""
    source_height: float
    """Pixels of the box in the picture as it came."""
    helmet: Finding
    vest: Finding

    def of(self, equipment: Equipment) -> Finding:
        """Return the finding for one equipment."""
        return self.helmet if equipment == "helmet" else self.vest

    def compliant(self, require: Iterable[Equipment]) -> bool | None:
        """Tell whether the person wears what is required: False if any is missing, else None if any is unknown."""
        states = {self.of(equipment).state for equipment in require}
        return False if "missing" in states else None if "unknown" in states else True


def sightings(detections: Detections, thresholds: Thresholds, *, labels: bool = False) -> tuple[Sighting, ...]:
    """Say for every person on one picture whether helmet and vest are worn, missing or unknown.

    The answer does not depend on the order of the detections; people come strongest first.

    Args:
        detections: what a model saw, or what somebody labelled.
        thresholds: decide what was seen surely enough, and who is tall enough to be judged.
        labels: every person's box is a person of its own; of a model's boxes, two may be of one (`DOUBLE`).
    """
    evidence = _canonical(above(detections, thresholds))
    known = np.flatnonzero(evidence.of(PERSON))
    boxes: Matrix = evidence.boxes[known].astype(np.float64)
    spots = {equipment: _spots(evidence, equipment) for equipment in EQUIPMENT}
    if not labels:
        single = _single(boxes, _assign(evidence, boxes, spots["helmet"], "helmet"))
        known, boxes = known[single], boxes[single]
    worn_by = {equipment: _assign(evidence, boxes, spots[equipment], equipment) for equipment in EQUIPMENT}
    loose = {
        equipment: [item for item in spots[equipment] if item not in worn_by[equipment].values()]
        for equipment in EQUIPMENT
    }
    inferred = inferred_people(evidence, boxes, loose["helmet"], loose["vest"], thresholds.inferred_confidence)
    everybody = np.vstack([boxes, np.array([person.box for person in inferred]).reshape(-1, 4)])

    seen = []
    for index in range(len(everybody)):
        if index < len(known):
            confidence, scale = float(evidence.confidence[known[index]]), float(evidence.seen_scale[known[index]])
            items = {equipment: worn_by[equipment].get(index) for equipment in EQUIPMENT}
        else:
            person = inferred[index - len(known)]
            confidence, items = person.confidence, {"helmet": person.head, "vest": person.torso}
            scale = evidence.scale
        height = float(everybody[index, 3] - everybody[index, 1])
        findings = {
            equipment: Finding("unknown", reason="too_small")
            if height * scale < thresholds.minimum_height[equipment]
            else _finding(evidence, everybody, index, equipment, items[equipment])
            for equipment in EQUIPMENT
        }
        seen.append(
            Sighting(
                box=_box(everybody[index]),
                box_inferred=index >= len(known),
                confidence=confidence,
                height=height * scale,
                source_height=height,
                helmet=findings["helmet"],
                vest=findings["vest"],
            )
        )
    return tuple(sorted(seen, key=lambda sighting: (-sighting.confidence, sighting.box)))


def _box(row: NDArray[np.floating]) -> Box:
    x1, y1, x2, y2 = (float(value) for value in row)
    return x1, y1, x2, y2


def above(detections: Detections, thresholds: Thresholds) -> Detections:
    """Return what is surely enough seen to say anything about a person."""
    floor = np.array(thresholds.per_class_id(), dtype=np.float32)
    return detections.where(detections.confidence >= floor[detections.class_id])


def _canonical(detections: Detections) -> Detections:
    """Sort by class, confidence and place, so that input order can't matter anywhere below."""
    keys = (*detections.boxes.T[::-1], -detections.confidence, detections.class_id)
    order = np.lexsort(keys)
    return Detections(
        detections.boxes[order],
        detections.confidence[order],
        detections.class_id[order],
        detections.width,
        detections.height,
        detections.scale,
        detections.seen_scale[order],
    )


def _spots(evidence: Detections, equipment: Equipment) -> list[int]:
    """Return the items of one equipment, one a head or torso, strongest first.

    Where helmet and no-helmet (or vest and no-vest) lie on one spot, the more confident one speaks.
    """
    items = np.flatnonzero(evidence.of(WORN_CLASS[equipment], MISSING_CLASS[equipment]))
    spots: list[int] = []
    for item in items[np.argsort(-evidence.confidence[items], kind="stable")]:
        beaten = any(
            evidence.class_id[spot] != evidence.class_id[item]
            and _shared(evidence.boxes[spot], evidence.boxes[item]) >= SAME_SPOT
            for spot in spots
        )
        if not beaten:
            spots.append(int(item))
    return spots


def _shared(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the intersection of two boxes over the smaller one's area."""
    size = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (size <= 0).any():
        return 0.0
    areas = (float(np.prod(box[2:] - box[:2])) for box in (one, other))
    return float(np.prod(size)) / min(areas)


def _assign(evidence: Detections, people: Matrix, spots: list[int], equipment: Equipment) -> dict[int, int]:
    """Match people to items one to one; return ``{person index: item}``."""
    if not len(people) or not spots:
        return {}
    items = evidence.boxes[spots].astype(np.float64)
    fit = _head_fit(people, items) if equipment == "helmet" else _torso_fit(people, items)
    rows, columns = linear_sum_assignment(-fit)
    return {int(row): spots[column] for row, column in zip(rows, columns, strict=True) if fit[row, column] > 0}


def _single(people: Matrix, heads: dict[int, int]) -> NDArray[np.bool_]:
    """Return (people,) whether each box is somebody's only one, given who has a head.

    Suppression leaves a second box around one person where it is much larger or smaller (seated, with a chair), and
    each would raise an alert. Two people who stand so close show two heads, or one hides the other.
    """
    headed = np.isin(np.arange(len(people)), list(heads))
    doubled = np.any(iou(people, people[headed]) >= DOUBLE, axis=1)
    return np.asarray(headed | ~doubled)


def _head_fit(people: Matrix, heads: Matrix) -> Matrix:
    """Return (people, heads) in 0..1: how well each head's box sits where that head can be; 0 = it can't."""
    width, height = _sizes(people)
    head_width, head_height = (size[:, 0] for size in _sizes(heads))
    centre_x, centre_y = _centres(heads)
    across = np.abs(centre_x - (people[:, 0] + people[:, 2])[:, None] / 2) / (width / 2)
    down = (centre_y - people[:, 1][:, None]) / height
    offset = np.abs(heads[:, 1] - people[:, 1][:, None]) / head_height
    possible = (across <= 1.0) & (down >= -0.05) & (down <= 0.62) & (offset <= 1.6)
    possible &= (head_width <= 1.25 * width) & (head_height <= 1.05 * height)
    return np.where(possible, np.exp(-((offset / 0.5) ** 2) / 2 - ((across / 0.6) ** 2) / 2), 0.0)


def _torso_fit(people: Matrix, torsos: Matrix) -> Matrix:
    """Return (people, torsos) in 0..1: how well each torso's box sits where that torso can be; 0 = it can't."""
    width, height = _sizes(people)
    torso_width, torso_height = (size[:, 0] for size in _sizes(torsos))
    centre_x, centre_y = _centres(torsos)
    across = np.abs(centre_x - (people[:, 0] + people[:, 2])[:, None] / 2) / (width / 2)
    down = (centre_y - people[:, 1][:, None]) / height
    share = torso_width / width
    inside = _inside(people, torsos)
    possible = (across <= 0.75) & (down >= 0.08) & (down <= 0.92) & (inside >= 0.55)
    possible &= (share <= 1.6) & (torso_height <= 1.15 * height) & (torso_height >= 0.1 * height)
    off_size = np.log(np.maximum(share, 1e-6) / 0.75)
    return np.where(possible, inside * np.exp(-((across / 0.4) ** 2) / 2 - ((off_size / 0.6) ** 2) / 2), 0.0)


def _sizes(boxes: Matrix) -> tuple[Matrix, Matrix]:
    return (boxes[:, 2] - boxes[:, 0])[:, None], (boxes[:, 3] - boxes[:, 1])[:, None]


def _centres(boxes: Matrix) -> tuple[Matrix, Matrix]:
    return (boxes[:, 0] + boxes[:, 2])[None, :] / 2, (boxes[:, 1] + boxes[:, 3])[None, :] / 2


def _inside(people: Matrix, items: Matrix) -> Matrix:
    """Return (people, items): the share of each item's area that lies in each person's box."""
    low = np.maximum(people[:, None, :2], items[None, :, :2])
    high = np.minimum(people[:, None, 2:], items[None, :, 2:])
    area = np.prod(items[:, 2:] - items[:, :2], axis=1)
    shared: Matrix = np.prod(np.maximum(high - low, 0), axis=2) / area
    return shared


def _finding(evidence: Detections, people: Matrix, index: int, equipment: Equipment, item: int | None) -> Finding:
    if item is None:
        return Finding("unknown", reason=_why_unknown(people, index, evidence.width, evidence.height, equipment))
    state: State = "worn" if evidence.class_id[item] == WORN_CLASS[equipment] else "missing"
    return Finding(state, float(evidence.confidence[item]), _box(evidence.boxes[item]))


def _why_unknown(people: Matrix, index: int, width: int, height: int, equipment: Equipment) -> Reason:
    """Say why nothing was seen where a head or a torso should be: cut by the picture, behind somebody, or just not."""
    box = people[index]
    region = _region(box, equipment)
    edge = 0.005
    cut_top = box[1] <= edge * height
    cut_bottom = box[3] >= (1 - edge) * height
    cut_side = box[0] <= edge * width or box[2] >= (1 - edge) * width
    wide = (box[3] - box[1]) < 1.2 * (box[2] - box[0])
    if equipment == "helmet" and (cut_top or (cut_side and wide)):
        return "out_of_picture"
    if equipment == "vest" and ((cut_bottom and wide) or cut_top or cut_side):
        return "out_of_picture"
    others = np.delete(people, index, axis=0)
    in_front = others[others[:, 3] > box[3]]
    if len(in_front) and float(_inside(in_front, region[None, :]).max()) >= 0.5:
        return "hidden"
    return "no_evidence"


def _region(box: NDArray[np.float64], equipment: Equipment) -> NDArray[np.float64]:
    """Return where the head or the torso of a standing person is on their box (x1 y1 x2 y2)."""
    x1, y1, x2, y2 = box
    top, bottom = (0.0, 0.18) if equipment == "helmet" else (0.2, 0.6)
    return np.array([x1, y1 + top * (y2 - y1), x2, y1 + bottom * (y2 - y1)])
