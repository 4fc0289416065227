"""Equal pictures whose labels differ: one of them is wrong, and only a look at both can tell which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.looking import corners
from service.lab.checking.rows import distinct
from service.lab.checking.survey import Seen, Survey
from service.lab.dataset.records import LabelledBox, Picture
from service.safety.overlap import iou

AGREE: Final = 0.8
"""IoU from which two boxes of one label are one box: rounding and a redrawn border stay above."""


def contradicting(seen: Sequence[Seen]) -> list[list[int]]:
    """Return groups (indices) of equal files of which not all have the same labels.

    A picture without a label file says nothing, so that it contradicts nobody.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(seen):
        if one.picture.has_label_file:
            groups[one.look.digest].append(index)
    return [
        group
        for group in groups.values()
        if not all(agree(seen[group[0]].picture, seen[index].picture) for index in group[1:])
    ]


def agree(one: Picture, other: Picture) -> bool:
    """Tell whether two pictures have the same boxes: each of one, label and place, has its own in the other."""
    mine, theirs = (_by_label(picture) for picture in (one, other))
    return mine.keys() == theirs.keys() and all(_paired(mine[label], theirs[label]) for label in mine)


def find(survey: Survey) -> Iterator[Finding]:
    """Yield a finding when equal pictures have different labels."""
    groups = contradicting(survey.seen)
    count = sum(map(len, groups))
    if count:
        shown = [survey.seen[index].picture for group in groups for index in group]
        yield Finding(
            "labels-differ",
            "fault",
            "Equal pictures whose labels differ",
            f"{counted(count, len(survey.seen), 'pictures')} are equal to another file and labelled otherwise: boxes "
            f"lack or have another class. At least {len(groups):,} of them teach or measure something wrong.",
            "Look at both, correct the labels and keep one. `ppe dataset fix` leaves them as they are: it can't know "
            "which is right.",
            count,
            len(survey.seen),
            tuple(
                Example(picture.path, f"{picture.split}/{picture.path.name}: {len(picture.boxes)} boxes", picture.boxes)
                for picture in shown[:SHOWN]
            ),
        )


def _by_label(picture: Picture) -> dict[str, list[LabelledBox]]:
    found: dict[str, list[LabelledBox]] = defaultdict(list)
    for box in distinct(picture):
        found[box.label].append(box)
    return found


def _paired(mine: list[LabelledBox], theirs: list[LabelledBox]) -> bool:
    if len(mine) != len(theirs):
        return False
    free = iou(corners(mine), corners(theirs))
    for row in range(len(mine)):
        best = int(np.argmax(free[row]))
        if free[row, best] < AGREE:
            return False
        free[:, best] = -1.0
    return True
