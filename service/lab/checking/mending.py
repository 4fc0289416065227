"""Write a cleaned copy of a set: what can be mended without judgement is mended, and all of it is counted.

The copy is a YOLO export with the set's own class names. Pictures are copied byte by byte; the source is only read.
"""

from __future__ import annotations

import json
import shutil
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
from service.lab.dataset.layouts import config_of, folder_of, read_export
from service.lab.dataset.prepare import write_config
from service.lab.dataset.records import LabelledBox, Picture, Split
from service.lab.dataset.whole import refuse_unless_empty, whole_folder
from service.lab.dataset.yolo import class_names, rows_without_picture

KEPT_FIRST: Final[tuple[Split, ...]] = ("test", "valid", "train")
"""Of a picture that stands in several splits, the one in the split named first stays."""
Reasons = list[tuple[Picture, str]]


@dataclass(frozen=True, slots=True)
class Mended:
    """What was written and what was done, by what was wrong.

    `left_out` names every picture that was not taken, `undecided` every one that was taken as it is although it shows
    the same as another one; each with the reason.
    """

    pictures: int
    boxes: int
    done: dict[str, int]
    left_out: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]


def mend(folder: Path, out: Path, on_picture: Callable[[str], None] = lambda _: None) -> Mended:
    """Write a cleaned copy of an export to `out`, which must not hold anything yet; after a failure it holds nothing.

    Broken rows, orphans, pictures without a label file and pictures that can't be read are left out; boxes are cut to
    the picture, repeated boxes dropped, polygons become upright boxes. Of equal files one stays, in test before valid
    before train; what shows the same as a held-out picture leaves train. What needs judgement stays as it is and is
    named: equal files whose labels differ, and a train split that shares its scenes with valid or test.

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
    pictures = list(read_export(folder, faults.append))
    done = Counter[str]()
    for fault in faults:
        done["box cut to the picture" if fault.kind == "edge" else f"row dropped: {fault.kind}"] += 1
    config = config_of(folder)
    done["label file without picture left out"] = len(rows_without_picture(config)) if config else 0
    taken, left_out, undecided = _taken(pictures, on_picture)
    done.update(f"picture left out: {why}" for _, why in left_out)
    done.update(f"picture left as it is: {why}" for _, why in undecided)
    if not taken:
        raise DatasetError(folder, "nothing of it can be kept")
    names = class_names(config) if config else sorted({box.label for one in pictures for box in one.boxes})
    boxes = 0
    with whole_folder(out) as part:
        for picture in taken:
            kept = _distinct(picture, done)
            boxes += len(kept)
            _write(part, picture, kept, names)
            on_picture(picture.path.name)
        write_config(part, names)
        counted = {what: count for what, count in sorted(done.items()) if count}
        listed = [
            tuple((f"{picture.split}/{picture.path.name}", why) for picture, why in reasons)
            for reasons in (left_out, undecided)
        ]
        mended = Mended(len(taken), boxes, counted, *listed)
        report = asdict(mended)
        (part / "mended.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return mended


def _taken(pictures: list[Picture], on_picture: Callable[[str], None]) -> tuple[list[Picture], Reasons, Reasons]:
    """Return what is kept, in the set's order, what is not, and what is kept in doubt, each with the reason."""
    looks = look_at_all(pictures, on_picture)
    why = {picture.path: "can't be read" for picture, look in zip(pictures, looks, strict=True) if look is None}
    why |= {
        picture.path: "no label file" for picture in pictures if not (picture.has_label_file or picture.path in why)
    }
    seen = [
        Seen(picture, look)
        for picture, look in zip(pictures, looks, strict=True)
        if look is not None and picture.path not in why
    ]
    seen.sort(key=lambda one: KEPT_FIRST.index(one.picture.split))  # of two, the later one goes
    with comparing(len(seen), on_picture) as same:
        known = twins_by(seen, same)
        while goes := _repeating(seen, known.copies):
            why |= {seen[index].picture.path: reason for index, reason in goes.items()}
            seen = [one for index, one in enumerate(seen) if index not in goes]
            known = twins_by(seen, same)  # without those gone, others are nearest
    doubts = {seen[index].picture.path: reason for index, reason in _undecided(seen, known.copies).items()}
    return (
        [picture for picture in pictures if picture.path not in why],
        [(picture, why[picture.path]) for picture in pictures if picture.path in why],
        [(picture, doubts[picture.path]) for picture in pictures if picture.path in doubts],
    )


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


def _write(out: Path, picture: Picture, boxes: list[LabelledBox], names: list[str]) -> None:
    images, labels = (out / picture.split / kind for kind in ("images", "labels"))
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    target = images / picture.path.name
    if target.exists():
        raise DatasetError(picture.path, "stands twice in this export under one name")
    shutil.copyfile(picture.path, target)
    rows = (f"{names.index(box.label)} {box.cx:.6f} {box.cy:.6f} {box.w:.6f} {box.h:.6f}\n" for box in boxes)
    (labels / f"{picture.path.stem}.txt").write_text("".join(rows), encoding="utf-8")
