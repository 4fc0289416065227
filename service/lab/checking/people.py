"""People and what they wear: do items belong to people, are whole people shown, do they stand apart?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.looking import Look
from service.lab.checking.survey import UNNAMED, Survey
from service.lab.dataset.records import LabelledBox, clipped
from service.safety.detections import Detections
from service.safety.equipment import CLASSES, EQUIPMENT, MISSING_CLASS, WORN_CLASS, ClassName
from service.safety.inference import Box
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds
from service.safety.wearing import Sighting, sightings

LOOSE, BARE, UPPER, CUT, CROWDED = 0.05, 0.3, 0.55, 0.5, 0.5
"""Shares from which a finding is a warning; docs/datasets.md says what each was on three public sets."""
TALL: Final = 50.0
"""Pixels at the training size from which a person's head and torso can be expected to be labelled."""
JUDGED: Final = 20
_EVERYTHING: Final = Thresholds(minimum_height={"helmet": 0.0, "vest": 0.0})
_EDGE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Match:
    """A person as the product would see them, were the labels its detections; boxes in pixels of the picture."""

    picture: int
    sighting: Sighting


def matches(survey: Survey) -> list[Match]:
    """Give every picture's labels to the product's own association (`safety.wearing`)."""
    found = []
    bounds = np.searchsorted(survey.table.of, np.arange(len(survey.seen) + 1))
    for index, one in enumerate(survey.seen):
        rows = slice(bounds[index], bounds[index + 1])
        ids = survey.table.class_id[rows]
        size = (one.look.width, one.look.height)
        boxes = survey.table.corners[rows] * (*size, *size)
        fit = (ids != UNNAMED) & (boxes[:, 2] - boxes[:, 0] > 0.5) & (boxes[:, 3] - boxes[:, 1] > 0.5)
        if fit.any():
            ones = np.ones(int(fit.sum()), dtype=np.float32)
            labels = Detections(boxes[fit].astype(np.float32), ones, ids[fit], *size, survey.imgsz / max(size))
            found += [Match(index, sighting) for sighting in sightings(labels, _EVERYTHING, labels=True)]
    return found


def find(survey: Survey, matched: list[Match]) -> Iterator[Finding]:
    """Yield what is odd about people."""
    if survey.table.is_a("person").any():
        yield from _loose(survey, matched)
        yield from _bare(survey, matched)
        yield from _upper(survey)
        yield from _crowded(survey)
    yield from _cut(survey)


def _loose(survey: Survey, matched: list[Match]) -> Iterator[Finding]:
    worn = [one for one in matched if one.sighting.helmet.box or one.sighting.vest.box]
    items = sum(len(_items(one.sighting)) for one in worn)
    loose = [one for one in worn if one.sighting.box_inferred]
    count = sum(len(_items(one.sighting)) for one in loose)
    if not count:
        return
    yield Finding(
        "item-without-person",
        "warning" if count >= LOOSE * items and items >= JUDGED else "note",
        "Equipment that no person wears",
        f"{counted(count, items, 'items')} sit where no labelled person's head or torso can be.",
        "Label the person, or correct the item. Where there are many: the class ids may be mixed up, or the labels "
        "belong to other pictures.",
        count,
        items,
        _shown(survey, loose, items_only=True),
    )


def _bare(survey: Survey, matched: list[Match]) -> Iterator[Finding]:
    people = [one for one in matched if not one.sighting.box_inferred and one.sighting.height >= TALL]
    lacking = {equipment: [one for one in people if one.sighting.of(equipment).box is None] for equipment in EQUIPMENT}
    most = max(lacking.values(), key=len)
    if not most:
        return
    told = " and ".join(
        f"{counted(len(found), len(people), 'people')} have no {'head' if name == 'helmet' else 'torso'} label"
        for name, found in lacking.items()
    )
    yield Finding(
        "person-without-item",
        "warning" if len(most) >= BARE * len(people) and len(people) >= JUDGED else "note",
        "People without a head or torso label",
        f"{told} (people from {TALL:.0f} px at the training size). A head that is seen and not labelled teaches that "
        "heads are background.",
        "Label helmet or no-helmet, vest or no-vest, on everybody on whom it can be seen.",
        len(most),
        len(people),
        _shown(survey, sorted(most, key=lambda one: -one.sighting.height)),
    )


def _upper(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    people = table.is_a("person") & (table.size[:, 1] >= TALL)
    upper = people & ((table.size[:, 1] < 1.6 * table.size[:, 0]) | (table.corners[:, 3] > 1 - 3 * _EDGE))
    count, of = int(upper.sum()), int(people.sum())
    if of >= JUDGED and count >= UPPER * of:
        yield Finding(
            "upper-bodies",
            "warning",
            "People are seen from the waist up",
            f"{counted(count, of, 'people')} are cut by the lower border or less than 1.6 times as high as wide. A "
            "camera on a site sees whole people from above: its people look otherwise.",
            "Add pictures with whole people in the distance, taken as your cameras see them.",
            count,
            of,
            _boxed(survey, np.flatnonzero(upper)),
        )


def _cut(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    named = table.class_id != UNNAMED
    cut = named & ((table.corners[:, :2] < _EDGE) | (table.corners[:, 2:] > 1 - _EDGE)).any(axis=1)
    people = table.is_a("person") if table.is_a("person").any() else named
    count, of = int((cut & people).sum()), int(people.sum())
    if of >= JUDGED and count >= CUT * of:
        yield Finding(
            "border-cut",
            "warning",
            "Boxes that the border cuts",
            f"{counted(count, of, 'boxes')} end at a border of the picture: fragments, often made by cropping or by "
            "mosaics.",
            "Export the set without crop and mosaic; let training make them.",
            count,
            of,
            _boxed(survey, np.flatnonzero(cut & people)),
        )


def _crowded(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    people = np.flatnonzero(table.is_a("person"))
    hidden = []
    for index in np.unique(table.of[people]):
        rows = people[table.of[people] == index]
        shared = iou(table.corners[rows], table.corners[rows]) - np.eye(len(rows))
        hidden += rows[shared.max(axis=1, initial=0) > 0.5].tolist()
    if len(people) >= JUDGED and hidden:
        yield Finding(
            "crowded",
            "warning" if len(hidden) >= CROWDED * len(people) else "note",
            "People who hide each other",
            f"{counted(len(hidden), len(people), 'people')} share more than half with another person's box (IoU).",
            "Such pairs are hard to tell apart; where a box was drawn twice for one person, remove one.",
            len(hidden),
            len(people),
            _boxed(survey, np.array(hidden[: 4 * SHOWN], dtype=np.int64)),
        )


def _items(sighting: Sighting) -> list[tuple[ClassName, Box]]:
    """Return the items that a person wears, each with the class that its label means."""
    found: list[tuple[ClassName, Box]] = []
    for equipment in EQUIPMENT:
        finding = sighting.of(equipment)
        if finding.box is not None:
            found.append((CLASSES[(WORN_CLASS if finding.state == "worn" else MISSING_CLASS)[equipment]], finding.box))
    return found


def _shown(survey: Survey, found: list[Match], *, items_only: bool = False) -> tuple[Example, ...]:
    by_picture: dict[int, list[LabelledBox]] = {}
    for one in found:
        look = survey.seen[one.picture].look
        people: list[tuple[ClassName, Box]] = [("person", one.sighting.box)]
        for name, box in _items(one.sighting) if items_only else people:
            cut = relative(name, box, look)
            by_picture.setdefault(one.picture, []).extend([cut] if cut else [])
    worst = sorted(by_picture, key=lambda index: -len(by_picture[index]))[:SHOWN]
    names = {index: survey.seen[index].picture.path for index in worst}
    return tuple(
        Example(names[index], f"{names[index].name}: {len(by_picture[index])}", tuple(by_picture[index]))
        for index in worst
    )


def relative(label: str, box: Box, look: Look) -> LabelledBox | None:
    """Return a box in pixels of a picture as a box to draw; None when nothing of it lies in the picture."""
    x1, y1, x2, y2 = box
    return clipped(label, x1 / look.width, y1 / look.height, x2 / look.width, y2 / look.height)


def _boxed(survey: Survey, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Example, ...]:
    """Return the pictures that most of these boxes are on, with the boxes."""
    table = survey.table
    where, counts = np.unique(table.of[rows], return_counts=True)
    worst = where[np.argsort(-counts, kind="stable")][:SHOWN]
    return tuple(
        Example(
            survey.seen[index].picture.path,
            survey.seen[index].picture.path.name,
            tuple(table.boxes[row] for row in rows[table.of[rows] == index]),
        )
        for index in worst
    )
