"""A set as the checks see it: its pictures, what each is like, and all boxes in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.lab.checking.looking import Boxes, Look, corners, look_at_all
from service.lab.dataset.cards import Card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.layouts import config_of, folder_of, read_export
from service.lab.dataset.records import SPLITS, LabelledBox, Picture, Split
from service.lab.dataset.yolo import rows_without_picture
from service.safety.equipment import CLASS_ID, CLASSES, ClassName

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
UNNAMED: Final = -1


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture with its labels and what it is like."""

    picture: Picture
    look: Look


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All boxes of a set, a row a box.

    Attributes:
        of: (n,) index of the picture that a box is on.
        corners: (n, 4) relative x1 y1 x2 y2.
        class_id: (n,) index into the product's classes, -1 for a label that the card does not name.
        size: (n, 2) width and height in pixels as the model sees them at the training size.
        split: (n,) index into `SPLITS`.
    """

    of: Ints
    corners: Boxes
    class_id: Ints
    size: NDArray[np.float64]
    split: Ints
    boxes: tuple[LabelledBox, ...]

    def is_a(self, *names: ClassName) -> Mask:
        """Return the (n,) mask of the boxes of these classes."""
        return np.isin(self.class_id, [CLASS_ID[name] for name in names])


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Everything that was read and seen of one set."""

    folder: Path
    card: Card
    imgsz: int
    seen: tuple[Seen, ...]
    unreadable: tuple[Picture, ...]
    faults: tuple[DatasetError, ...]
    orphans: tuple[Path, ...]
    table: Table
    notes: tuple[str, ...] = ()
    """What is no fault, and that its reader should know: what was taken as what, and what left out."""

    def of_split(self, split: Split) -> list[Seen]:
        """Return the pictures of one split."""
        return [one for one in self.seen if one.picture.split == split]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that hold pictures."""
        there = {one.picture.split for one in self.seen}
        return tuple(split for split in SPLITS if split in there)

    def counts(self, split: Split) -> dict[ClassName, int]:
        """Return how many boxes of each class a split holds."""
        mine = self.table.class_id[self.table.split == SPLITS.index(split)]
        return {name: int((mine == CLASS_ID[name]).sum()) for name in CLASSES}


def survey(export: Path, card: Card, imgsz: int, on_picture: Callable[[str], None] = lambda _: None) -> Survey:
    """Read a set and look at all its pictures; what is wrong with single rows and files is collected.

    Args:
        export: its folder, or the yaml file that describes it.
        card: what its labels mean.
        imgsz: side in pixels at which it is to be trained.
        on_picture: called for each picture looked at.

    Raises:
        DatasetError: there is no dataset, or none of it can be read.
    """
    faults: list[DatasetError] = []
    notes: list[str] = []
    pictures = list(read_export(export, faults.append, notes.append))
    config = config_of(export)
    orphans = rows_without_picture(config) if config else []
    looks = look_at_all(pictures, on_picture)
    seen = tuple(Seen(picture, look) for picture, look in zip(pictures, looks, strict=True) if look is not None)
    unreadable = tuple(picture for picture, look in zip(pictures, looks, strict=True) if look is None)
    if not seen:
        raise DatasetError(export, "; ".join(["holds no picture that can be read", *map(str, faults[:1])]))
    return Survey(
        folder=folder_of(export),
        card=card,
        imgsz=imgsz,
        seen=seen,
        unreadable=unreadable,
        faults=tuple(faults),
        orphans=tuple(orphans),
        table=table(seen, card, imgsz),
        notes=tuple(notes),
    )


def table(seen: tuple[Seen, ...], card: Card, imgsz: int) -> Table:
    """Put all boxes into one table."""
    boxes = tuple(box for one in seen for box in one.picture.boxes)
    counts = [len(one.picture.boxes) for one in seen]
    of = np.repeat(np.arange(len(seen)), counts)
    places = corners(boxes)
    shapes = np.array([(one.look.width, one.look.height) for one in seen], dtype=np.float64).reshape(-1, 2)
    scale = imgsz / shapes.max(axis=1, initial=1)
    targets = (card.target(box.label) for box in boxes)
    ids = [UNNAMED if target is None else CLASS_ID[target] for target in targets]
    splits = np.array([SPLITS.index(one.picture.split) for one in seen], dtype=np.int64)
    return Table(
        of=of,
        corners=places,
        class_id=np.array(ids, dtype=np.int64),
        size=(places[:, 2:] - places[:, :2]) * shapes[of] * scale[of, None],
        split=splits[of],
        boxes=boxes,
    )
