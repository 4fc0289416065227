"""People whom only their equipment gives away: an item that lies on nobody's box becomes a person, marked as inferred.

A bare head or a torso is part of somebody. A helmet alone is not: it may lie on a table, so it makes no person unless a
torso stands below it. Proportions are medians measured on labelled people (docs/wearing.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.safety.detections import Detections
from service.safety.equipment import CLASS_ID

Box = tuple[float, float, float, float]
"""x1 y1 x2 y2 in pixels of the upright picture."""

HEAD_WIDTHS, HEAD_HEIGHTS = 2.3, 6.0
TORSO_WIDTHS, TORSO_ABOVE, TORSO_BELOW = 1.25, 0.45, 0.75


@dataclass(frozen=True, slots=True)
class Inferred:
    """A person without a box of their own, and the items that say so (indices into the evidence)."""

    box: Box
    confidence: float
    head: int | None
    torso: int | None


def inferred_people(
    evidence: Detections, people: NDArray[np.float64], heads: list[int], torsos: list[int], confidence: float
) -> list[Inferred]:
    """Return the people that unassigned items give away.

    Args:
        evidence: all detections that count.
        people: (n, 4) boxes of the people already known; an item on one of them is theirs (a helmet in a hand).
        heads, torsos: indices of the items nobody wears, strongest first.
        confidence: smallest confidence of an item that makes a person.
    """
    heads, torsos = (
        [item for item in items if evidence.confidence[item] >= confidence and not _on_somebody(evidence, people, item)]
        for items in (heads, torsos)
    )
    found: list[Inferred] = []
    free = list(torsos)
    for head in heads:
        torso = next((item for item in free if _below(evidence.boxes[head], evidence.boxes[item])), None)
        if torso is not None:
            free.remove(torso)
        elif evidence.class_id[head] == CLASS_ID["helmet"]:
            continue
        found.append(_person(evidence, head, torso))
    found += [_person(evidence, None, torso) for torso in free]
    return found


def _on_somebody(evidence: Detections, people: NDArray[np.float64], item: int) -> bool:
    """Tell whether an item lies on a known person: most of it, or its centre."""
    if not len(people):
        return False
    x1, y1, x2, y2 = (float(value) for value in evidence.boxes[item])
    wide = np.minimum(people[:, 2], x2) - np.maximum(people[:, 0], x1)
    high = np.minimum(people[:, 3], y2) - np.maximum(people[:, 1], y1)
    shared = np.maximum(wide, 0) * np.maximum(high, 0) / ((x2 - x1) * (y2 - y1))
    return bool((shared >= 0.3).any())


def _below(head: NDArray[np.float32], torso: NDArray[np.float32]) -> bool:
    """Tell whether a torso's box stands where this head's torso would be."""
    width, height = head[2] - head[0], head[3] - head[1]
    across = abs((head[0] + head[2]) - (torso[0] + torso[2])) / 2
    drop = torso[1] - head[3]
    return bool(across <= 0.5 * max(torso[2] - torso[0], width) and -1.0 * height <= drop <= 1.5 * height)


def _person(evidence: Detections, head: int | None, torso: int | None) -> Inferred:
    parts = []
    if head is not None:
        x1, y1, x2, y2 = (float(value) for value in evidence.boxes[head])
        middle, width, height = (x1 + x2) / 2, HEAD_WIDTHS * (x2 - x1), HEAD_HEIGHTS * (y2 - y1)
        parts.append((middle - width / 2, y1, middle + width / 2, y1 + height))
    if torso is not None:
        x1, y1, x2, y2 = (float(value) for value in evidence.boxes[torso])
        middle, width, height = (x1 + x2) / 2, TORSO_WIDTHS * (x2 - x1), y2 - y1
        top = y1 - TORSO_ABOVE * height if head is None else parts[0][1]
        parts = [(middle - width / 2, top, middle + width / 2, y2 + TORSO_BELOW * height)]
    x1, y1, x2, y2 = parts[0]
    own = [item for item in (head, torso) if item is not None]
    for item in own:  # the box holds its items whatever the proportions say
        x1, y1 = min(x1, float(evidence.boxes[item][0])), min(y1, float(evidence.boxes[item][1]))
        x2, y2 = max(x2, float(evidence.boxes[item][2])), max(y2, float(evidence.boxes[item][3]))
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(evidence.width)), min(y2, float(evidence.height)))
    return Inferred(box, max(float(evidence.confidence[item]) for item in own), head, torso)
