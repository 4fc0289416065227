"""Faces are made unrecognisable, and what says whether a helmet is worn stays as it is.

The upper part of a helmet's shell is left, and of a bare head the hair: a face begins under them, and ends at the chin.
Where that is on a head's box follows from what such a box holds: the shell of a helmet, and of a bare head the part
from the hair to about the nose (docs/datasets.md). Weights now and then box a whole head instead, so the box's width,
which is the same either way, has a say. Of somebody whose head was not found, the place where heads are is taken. A
head is one person's: where two stand in front of each other and one head is found, it speaks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import MISSING_CLASS, PERSON, WORN_CLASS
from service.safety.inference import Box

HINT: Final = 0.15
"""Confidence from which something may be a head or a person: well under what counts as one, for a missed face is worse
than a hidden stone."""
SURE: Final = 0.35
"""Confidence from which a head's upper part is kept clear whatever face is near by, and from which it says where the
face of its person is: a hint goes as well as the place where heads are, and not instead of it."""
CELLS: Final = 4
"""Cells across a face: too few to know anybody by."""
_SAME: Final = 0.5
"""Two heads are one when they share this much of the smaller box; the more confident one says where its face is."""
_CENTRE: Final = 0.08
"""How far down a person the middle of a head is, of their height."""
_HELMET: Final = WORN_CLASS["helmet"]
_BARE: Final = MISSING_CLASS["helmet"]


@dataclass(frozen=True, slots=True)
class _Face:
    """Where a face is relative to a box of a head or a person, in shares of the box's (height, width).

    Attributes:
        begins: under its upper edge; the smaller of the two, since a box may hold more than it should.
        ends: under its upper edge; the larger of the two, within `within` heights.
        aside: how far it reaches beyond the box on both sides, of its width; negative: it is narrower.
    """

    begins: tuple[float, float]
    ends: tuple[float, float]
    aside: float
    within: float = float("inf")


_FACES: Final = {
    _HELMET: _Face((0.7, 0.55), (1.0, 1.5), 0.25),
    _BARE: _Face((0.4, 0.4), (1.0, 1.7), 0.25),
    PERSON: _Face((0.06, 0.15), (0.22, 0.65), -0.1, 0.5),
}


@dataclass(frozen=True, slots=True)
class Head:
    """A head on a picture, in pixels: the face that goes, and the part that stays (None: it may be no head)."""

    goes: Box
    stays: Box | None


def heads(detections: Detections) -> tuple[Head, ...]:
    """Return every head that may be on a picture, the most confident first; those found before those supposed."""
    hints = detections.confidence >= HINT
    found: list[NDArray[np.float64]] = []
    clear: list[NDArray[np.float64]] = []
    told: list[Head] = []
    for row in _strongest(detections, hints & detections.of(_HELMET, _BARE)):
        box = detections.boxes[row].astype(np.float64)
        if not any(_shared(box, other) >= _SAME for other in found):
            found.append(box)
            sure = bool(detections.confidence[row] >= SURE)
            told.append(_head(box, _FACES[int(detections.class_id[row])], sure=sure))
            clear += [box] if sure else []
    people = [detections.boxes[row].astype(np.float64) for row in _strongest(detections, hints & detections.of(PERSON))]
    known = _with_head(people, clear)
    told += [_head(box, _FACES[PERSON], sure=False) for index, box in enumerate(people) if index not in known]
    return tuple(told)


def blur(image: Image, people: tuple[Head, ...], scale: float = 1.0) -> Image:
    """Return a picture without faces; the same picture when there are none.

    Args:
        image: (h, w, 3) uint8 BGR; it is left as it is.
        people: their heads, in pixels of the picture in which they were found.
        scale: pixels of `image` for one pixel of that picture.
    """
    if not people:
        return image
    blurred: Image = image.copy()
    for head in people:
        _coarsen(blurred, _pixels(head.goes, scale, image))
    for head in people:
        if head.stays is not None:
            x1, y1, x2, y2 = _pixels(head.stays, scale, image)
            blurred[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    return blurred


def _strongest(detections: Detections, wanted: NDArray[np.bool_]) -> Iterator[int]:
    rows = np.flatnonzero(wanted)
    yield from (int(row) for row in rows[np.argsort(-detections.confidence[rows], kind="stable")])


def _head(box: NDArray[np.float64], face: _Face, *, sure: bool) -> Head:
    x1, y1, x2, y2 = (float(edge) for edge in box)
    size, aside = (y2 - y1, x2 - x1), face.aside * (x2 - x1)
    line = y1 + min(share * side for share, side in zip(face.begins, size, strict=True))
    chin = y1 + min(max(share * side for share, side in zip(face.ends, size, strict=True)), face.within * size[0])
    return Head((x1 - aside, line, x2 + aside, chin), (x1, y1, x2, line) if sure else None)


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the intersection of two boxes over the smaller one's area."""
    size = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (size <= 0).any():
        return 0.0
    return float(np.prod(size) / min(np.prod(box[2:] - box[:2]) for box in (one, other)))


def _with_head(people: list[NDArray[np.float64]], found: list[NDArray[np.float64]]) -> set[int]:
    """Return which people's heads were found: each head is one person's, and the closest pairs come first."""
    pairs = ((_off(person, head), one, other) for one, person in enumerate(people) for other, head in enumerate(found))
    known: set[int] = set()
    taken: set[int] = set()
    for off, one, other in sorted(pairs):
        if off < np.inf and one not in known and other not in taken:
            known.add(one)
            taken.add(other)
    return known


def _off(person: NDArray[np.float64], head: NDArray[np.float64]) -> float:
    """Return how far a head is from where this person's is, in shares of their size; infinite: it can't be theirs.

    It can where its centre lies in the upper third of them.
    """
    x, y = (head[:2] + head[2:]) / 2
    aside = (x - (person[0] + person[2]) / 2) / (person[2] - person[0])
    down = (y - person[1]) / (person[3] - person[1])
    return float(abs(aside) + abs(down - _CENTRE)) if abs(aside) <= 0.5 and -0.05 <= down <= 1 / 3 else float("inf")


def _pixels(box: Box, scale: float, image: Image) -> tuple[int, int, int, int]:
    """Return the pixels between the edges of a box, which may be none."""
    high, wide = image.shape[:2]
    x1, y1, x2, y2 = (max(round(edge * scale), 0) for edge in box)
    return x1, y1, min(x2, wide), min(y2, high)


def _coarsen(image: Image, pixels: tuple[int, int, int, int]) -> None:
    x1, y1, x2, y2 = pixels
    if x1 >= x2 or y1 >= y2:
        return
    face = image[y1:y2, x1:x2]
    wide, high = min(CELLS, x2 - x1), max(1, round(min(CELLS, x2 - x1) * (y2 - y1) / (x2 - x1)))
    cells = cv2.resize(face, (wide, min(high, y2 - y1)), interpolation=cv2.INTER_AREA)
    image[y1:y2, x1:x2] = cv2.resize(cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
