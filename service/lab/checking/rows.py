"""Pairs and rows: pictures without labels, labels without pictures, rows that say nothing usable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.looking import LEAST_SIDE, LONGEST
from service.lab.checking.survey import Survey
from service.lab.dataset.faults import DatasetError, Kind
from service.lab.dataset.records import LabelledBox, Picture

SAME_PLACE: Final = 3
"""Decimals of relative coordinates to which two boxes of one label must agree to be one box labelled twice."""
_KINDS: Final[dict[Kind, str]] = {
    "fields": "wrong count of fields",
    "number": "not numbers",
    "class": "unknown class",
    "edge": "reaches beyond the picture",
    "range": "no coordinates relative to the picture",
    "size": "no width or no height",
    "text": "file is not UTF-8 text",
}
_FILES: Final = frozenset({"folder", "names", "picture", "file"})


def find(survey: Survey) -> Iterator[Finding]:
    """Yield what is wrong with files and rows."""
    yield from _rows(survey)
    yield from _files(survey)
    yield from _pairs(survey)
    yield from _twice(survey)
    yield from _polygons(survey)


def _rows(survey: Survey) -> Iterator[Finding]:
    faults = [fault for fault in survey.faults if fault.kind not in _FILES]
    if not faults:
        return
    kinds = Counter(fault.kind for fault in faults)
    files = {fault.path for fault in faults}
    told = ", ".join(f"{count} x {_KINDS[kind]}" for kind, count in kinds.most_common())
    yield Finding(
        "broken-row",
        "fault",
        "Label rows that can't be read",
        f"{len(faults)} rows in {len(files)} files: {told}.",
        "Mend the rows by hand, or let `ppe dataset fix` drop them and cut what reaches beyond the picture.",
        len(faults),
        len(faults) + len(survey.table.boxes),
        rows=_listed(survey, faults),
    )


def _files(survey: Survey) -> Iterator[Finding]:
    faults = [fault for fault in survey.faults if fault.kind in _FILES]
    if faults:
        yield Finding(
            "missing-picture",
            "fault",
            "Pictures or folders that are named and not there",
            f"{len(faults)} times the description of the set names something that is not there or does not fit.",
            "Export the set again, or correct its data.yaml or COCO json.",
            len(faults),
            len(faults) + len(survey.seen),
            rows=_listed(survey, faults),
        )
    if survey.unreadable:
        yield Finding(
            "unreadable-picture",
            "fault",
            "Pictures that can't be read",
            f"{counted(len(survey.unreadable), _pictures(survey), 'pictures')} can't be decoded, or are too narrow to "
            f"train on: under {LEAST_SIDE} pixels wide or high, or over {LONGEST} times as long as wide.",
            "Fetch them again, or remove them with their labels; `ppe dataset fix` leaves them out.",
            len(survey.unreadable),
            _pictures(survey),
            rows=(("file",), *((named(survey, picture.path),) for picture in survey.unreadable[:20])),
        )


def _pairs(survey: Survey) -> Iterator[Finding]:
    lacking = [one.picture for one in survey.seen if not one.picture.has_label_file]
    if lacking:
        yield Finding(
            "missing-label",
            "warning",
            "Pictures without a label file",
            f"{counted(len(lacking), len(survey.seen), 'pictures')} have no label file. They are taken as background: "
            "whoever is on them is taught to be nobody.",
            "Label them. If nothing is on them, write an empty label file; `ppe dataset fix` leaves them out.",
            len(lacking),
            len(survey.seen),
            tuple(Example(picture.path, picture.path.name) for picture in lacking[:SHOWN]),
        )
    if survey.orphans:
        yield Finding(
            "orphan-label",
            "warning",
            "Label files without a picture",
            f"{len(survey.orphans)} label files belong to no picture of their split.",
            "Bring the pictures back, or remove the files; `ppe dataset fix` leaves them out.",
            len(survey.orphans),
            len(survey.orphans) + len(survey.seen),
            rows=(("file",), *((named(survey, path),) for path in survey.orphans[:20])),
        )


def _twice(survey: Survey) -> Iterator[Finding]:
    found = [(one.picture, repeated(one.picture)) for one in survey.seen]
    count = sum(len(boxes) for _, boxes in found)
    if count:
        worst = sorted((pair for pair in found if pair[1]), key=lambda pair: -len(pair[1]))
        yield Finding(
            "duplicate-box",
            "warning" if count >= 0.01 * len(survey.table.boxes) else "note",
            "Boxes that are labelled twice",
            f"{counted(count, len(survey.table.boxes), 'boxes')} repeat another box of the same label and place.",
            "`ppe dataset fix` keeps one of each.",
            count,
            len(survey.table.boxes),
            tuple(
                Example(picture.path, f"{picture.path.name}: {len(boxes)} twice", boxes)
                for picture, boxes in islice(worst, SHOWN)
            ),
        )


def repeated(picture: Picture) -> tuple[LabelledBox, ...]:
    """Return the boxes of a picture that repeat an earlier one."""
    there: set[tuple[object, ...]] = set()
    again = []
    for box in picture.boxes:
        place = (box.label, *(round(value, SAME_PLACE) for value in (box.cx, box.cy, box.w, box.h)))
        if place in there:
            again.append(box)
        there.add(place)
    return tuple(again)


def distinct(picture: Picture) -> list[LabelledBox]:
    """Return the boxes of a picture without those that repeat an earlier one."""
    again = list(repeated(picture))
    kept = []
    for box in reversed(picture.boxes):  # the later one of two goes
        if box in again:
            again.remove(box)
        else:
            kept.append(box)
    return kept[::-1]


def _polygons(survey: Survey) -> Iterator[Finding]:
    drawn = [(one.picture, box) for one in survey.seen for box in one.picture.boxes if box.filled is not None]
    if not drawn:
        return
    shares = sorted((box.filled or 0.0) for _, box in drawn)
    median = shares[len(shares) // 2]
    worst = sorted(drawn, key=lambda pair: pair[1].filled or 0.0)[:SHOWN]
    yield Finding(
        "polygon-labels",
        "warning" if median < 0.75 else "note",
        "Polygons and rotated boxes",
        f"{counted(len(drawn), len(survey.table.boxes), 'labels')} are polygons; their upright boxes are used. The "
        f"polygon covers {100 * median:.0f} % of its box in the median, {100 * shares[0]:.0f} % at worst: the rest of "
        "the box is background.",
        "Below 75 % the boxes are loose: draw upright boxes, or export the set again without rotation or shear as "
        "augmentation. `ppe dataset fix` writes the upright boxes.",
        len(drawn),
        len(survey.table.boxes),
        tuple(
            Example(picture.path, f"{box.label}: {100 * (box.filled or 0.0):.0f} % filled", (box,))
            for picture, box in worst
        ),
    )


def named(survey: Survey, path: Path) -> str:
    """Return a file's name as seen from the set's folder."""
    folder = survey.folder.resolve()
    return str(path.resolve().relative_to(folder)) if path.resolve().is_relative_to(folder) else path.name


def _listed(survey: Survey, faults: list[DatasetError]) -> tuple[tuple[str, ...], ...]:
    shown = [(named(survey, fault.path), str(fault.line or ""), fault.what) for fault in faults[:50]]
    rest = [("...", "", f"and {len(faults) - 50} more; all of them are in the JSON")] if len(faults) > 50 else []
    return (("file", "line", "what is wrong"), *shown, *rest)


def _pictures(survey: Survey) -> int:
    return len(survey.seen) + len(survey.unreadable)
