"""Whom to look at once more, closer, and what that adds: people whose helmet or vest one look at the picture left open.

Both steps are pure; `detectors.second_look` cuts the pictures out and asks the detector between them. A closer look
adds helmets and vests to people who are there; it finds nobody new and takes nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from service.safety.detections import Detections, Floats, together
from service.safety.equipment import EQUIPMENT, MISSING_CLASS, PERSON, WORN_CLASS, Equipment
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds
from service.safety.wearing import Sighting, sightings

MARGIN: Final = 0.15
"""Of a person's width and height, added on every side."""
LEAST_HEIGHT: Final = 40.0
"""Pixels of the picture: who is smaller gains nothing."""
GAIN: Final = 1.3
"""How much larger somebody too small must become for a closer look."""
SURE: Final = 0.6
"""Confidence from which a closer look counts: somebody who is enlarged shows much that only looks like something."""
DOUBLE: Final = 0.5
"""A box of a closer look that shares so much (IoU) with one of its class that was there already is the same one."""


@dataclass(frozen=True, slots=True)
class Closer:
    """Where to look closer.

    Attributes:
        x1, y1, x2, y2: the part of the picture, in whole pixels.
        person: index of the person's box in the detections.
        wanted: which equipment is open.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    person: int
    wanted: tuple[Equipment, ...]


def unsure(detections: Detections, thresholds: Thresholds, most: int, size: int) -> tuple[Closer, ...]:
    """Return where to look closer: at most `most` people, the tallest first.

    Args:
        detections: what the whole picture showed.
        thresholds: decide who is a person and what is open.
        most: people at most.
        size: side in pixels of the input that a closer look has; nobody is worth more pixels than they have.
    """
    found = []
    for sighting in sightings(detections, thresholds):
        if sighting.box_inferred or sighting.source_height < LEAST_HEIGHT:
            continue
        place = _place(sighting, detections)
        scale = min(1.0, size / max(place[2] - place[0], place[3] - place[1]))
        wanted = tuple(equipment for equipment in EQUIPMENT if _open(sighting, equipment, scale, thresholds))
        if wanted:
            found.append((-sighting.source_height, place, wanted, sighting))
    found.sort(key=lambda item: item[:2])
    return tuple(Closer(*place, _index(detections, sighting), wanted) for _, place, wanted, sighting in found[:most])


def _place(sighting: Sighting, detections: Detections) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = sighting.box
    across, down = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, top = max(0, int(x1 - across)), max(0, int(y1 - down))
    return left, top, min(detections.width, int(x2 + across) + 1), min(detections.height, int(y2 + down) + 1)


def _open(sighting: Sighting, equipment: Equipment, scale: float, thresholds: Thresholds) -> bool:
    finding = sighting.of(equipment)
    if finding.state != "unknown":
        return False
    if finding.reason == "too_small":
        tall = sighting.source_height * scale >= thresholds.minimum_height[equipment]
        return tall and sighting.source_height * scale >= GAIN * sighting.height
    return True


def _index(detections: Detections, sighting: Sighting) -> int:
    """Return which detection a sighting's box is."""
    same = (detections.boxes == np.array(sighting.box, dtype=np.float32)).all(axis=1) & detections.of(PERSON)
    return int(np.flatnonzero(same)[0])


def joined(detections: Detections, looks: Iterable[tuple[Closer, Detections]]) -> Detections:
    """Return `detections` with what closer looks showed of the equipment that was open.

    Args:
        detections: what the whole picture showed.
        looks: where somebody looked closer, and what was seen there in pixels of that part.
    """
    seen_scale = detections.seen_scale.copy()
    added = []
    for closer, seen in looks:
        seen_scale[closer.person] = max(seen_scale[closer.person], min(1.0, seen.scale))
        open_ids = (ids[equipment] for ids in (WORN_CLASS, MISSING_CLASS) for equipment in closer.wanted)
        items = seen.where(seen.of(*open_ids) & (seen.confidence >= SURE)).moved_into(detections, closer.x1, closer.y1)
        new = [
            _centred(box, detections.boxes[closer.person])
            and not (iou([box], detections.boxes[detections.class_id == class_id]) >= DOUBLE).any()
            for box, class_id in zip(items.boxes, items.class_id, strict=True)
        ]
        added.append(items.where(np.array(new, dtype=np.bool_)))
    return together(replace(detections, seen_scale=seen_scale), *added)


def _centred(box: Floats, person: Floats) -> bool:
    """Tell whether a box's centre lies on a person's box."""
    centre = (box[:2] + box[2:]) / 2
    return bool(((person[:2] <= centre) & (centre <= person[2:])).all())
