"""Write a cleaned copy of a set: what can be mended without judgement is mended, and all of it is counted.

The copy is a YOLO export with the set's own class names. Pictures are copied byte by byte; the source is only read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from service.lab.checking.contradicting import contradicting
from service.lab.checking.looking import look_at_all
from service.lab.checking.rows import distinct
from service.lab.checking.sameness import comparing
from service.lab.checking.spanning import leaks_of
from service.lab.checking.survey import Seen
from service.lab.checking.twins import EQUAL, twins_by
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.flat import flat_names, put
from service.lab.dataset.layouts import config_of, folder_of, read_export
from service.lab.dataset.prepare import label_row, write_config
from service.lab.dataset.records import LabelledBox, Picture, Split
from service.lab.dataset.whole import refuse_unless_empty, whole_folder
from service.lab.dataset.yolo import class_names, rows_without_picture

KEPT_FIRST: Final[tuple[Split, ...]] = ("test", "valid", "train")
"""Of a picture that stands in several splits, the one in the split named first stays."""
Reasons = dict[int, str]
"""By the number of a picture in the set: its path will not do, one picture may stand in two splits."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What was written and what was done, by what was wrong.

    `left_out` names every picture that was not taken, `undecided` every one that was taken as it is although it shows
    the same as another one; each by its name in the copy, with the reason. `notes` say how the set was read.
    """

    pictures: int
    boxes: int
    done: dict[str, int]
    left_out: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def mend(folder: Path, out: Path, on_picture: Callable[[str], None] = lambda _: None) -> Mended:
    """Write a cleaned copy of an export to `out`, which must not hold anything yet; after a failure it holds nothing.

    Broken rows, orphans, pictures without a label file and pictures that can't be read are left out; boxes are cut to
    the picture, repeated boxes dropped, polygons become upright boxes. Of equal files one stays, in test before valid
    before train; what shows the same as a held-out picture leaves train. Pictures whose names meet in the copy, which
    has no folders below a split's, are named by their folders too. What needs judgement stays as it is and is named:
    equal files whose labels differ, and a train split that shares its scenes with valid or test.

    Args:
        folder: the export.
        out: folder to write.
        on_picture: called for each picture looked at, each pair compared and each picture written.

    Raises:
        DatasetError: there is no dataset, nothing would be left, `out` holds something or lies in `folder`.
    """
    refuse_unless_empty(out)
    if out.resolve().is_relative_to(folder_of(folder).resolve()):
        raise DatasetError(out, "lies in the set itself, which is never changed; give a folder outside it")
    faults: list[DatasetError] = []
    notes: list[str] = []
    pictures = list(read_export(folder, faults.append, notes.append))
    called = flat_names(pictures)
    done = Counter[str]()
    for fault in faults:
        done["box cut to the picture" if fault.kind == "edge" else f"row dropped: {fault.kind}"] += 1
    config = config_of(folder)
    done["label file without picture left out"] = len(rows_without_picture(config)) if config else 0
    taken, left_out, undecided = _taken(pictures, on_picture)
    done.update(f"picture left out: {why}" for why in left_out.values())
    done.update(f"picture left as it is: {why}" for why in undecided.values())
    done["picture named by its folder too"] = sum(called[index] != pictures[index].path.name for index in taken)
    if not taken:
        raise DatasetError(folder, "nothing of it can be kept")
    names = class_names(config) if config else sorted({box.label for one in pictures for box in one.boxes})
    boxes = 0
    with whole_folder(out) as part:
        for index in taken:
            kept = _distinct(pictures[index], done)
            boxes += len(kept)
            rows = "".join(label_row(names.index(box.label), box) for box in kept)
            put(part, pictures[index], called[index], rows)
            on_picture(called[index])
        write_config(part, names)
        counted = {what: count for what, count in sorted(done.items()) if count}
        gone, doubted = (
            tuple((f"{pictures[index].split}/{called[index]}", why) for index, why in sorted(reasons.items()))
            for reasons in (left_out, undecided)
        )
        mended = Mended(len(taken), boxes, counted, left_out=gone, undecided=doubted, notes=tuple(notes))
        report = asdict(mended)
        (part / "mended.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return mended


def _taken(pictures: list[Picture], on_picture: Callable[[str], None]) -> tuple[list[int], Reasons, Reasons]:
    """Return the numbers of what is kept, in the set's order, why the rest is not, and what is kept in doubt."""
    why: Reasons = {}
    left: list[tuple[int, Seen]] = []
    for index, (picture, look) in enumerate(zip(pictures, look_at_all(pictures, on_picture), strict=True)):
        if look is None:
            why[index] = "can't be read"
        elif not picture.has_label_file:
            why[index] = "no label file"
        else:
            left.append((index, Seen(picture, look)))
    left.sort(key=lambda one: KEPT_FIRST.index(one[1].picture.split))  # of two, the later one goes
    seen = [one for _, one in left]
    with comparing(len(seen), on_picture) as same:
        known = twins_by(seen, same)
        while goes := _repeating(seen, known.copies):
            why |= {left[at][0]: reason for at, reason in goes.items()}
            left = [one for at, one in enumerate(left) if at not in goes]
            seen = [one for _, one in left]
            known = twins_by(seen, same)  # without those gone, others are nearest
    doubts = {left[at][0]: reason for at, reason in _undecided(seen, known.copies).items()}
    return sorted(index for index, _ in left), why, doubts


def _repeating(seen: list[Seen], copies: dict[tuple[int, int], str]) -> dict[int, str]:
    """Return which pictures repeat another one and can go, and why: of train only what `leaks_of` calls removable."""
    leaks = leaks_of(seen, copies)
    unsettled = {index for group in contradicting(seen) for index in group}
    goes: dict[int, str] = {}
    for (first, late), how in copies.items():
        kept, split = seen[first].picture.split, seen[late].picture.split
        across = split == "train" != kept
        if how == EQUAL and late not in (leaks.staying | leaks.unsettled if across else unsettled):
            goes[late] = "equal to another file"
        elif across and late in leaks.removable:
            goes.setdefault(late, f"shows the same as a picture of {kept}")
    return goes


def _undecided(seen: list[Seen], copies: dict[tuple[int, int], str]) -> dict[int, str]:
    """Return which pictures stay although something is wrong with them, and what: somebody has to judge."""
    leaks = leaks_of(seen, copies)
    found = dict.fromkeys(leaks.staying, "shown in valid or test too: the set needs a new split")
    return found | {
        index: "equal to another file, whose labels differ" for group in contradicting(seen) for index in group
    }


def _distinct(picture: Picture, done: Counter[str]) -> list[LabelledBox]:
    kept = distinct(picture)
    done["repeated box dropped"] += len(picture.boxes) - len(kept)
    done["polygon made an upright box"] += sum(box.filled is not None for box in picture.boxes)
    return [replace(box, filled=None) for box in kept]
