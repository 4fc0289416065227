"""Person truth: who is in each evaluation picture and what they wear, as a person who looks at it would say.

Made from an export's labels by a plain rule (``truth_review.rule``) and, wherever the rule can't tell, by decisions
taken by eye (``truth_review.decisions``). Labels, rule and decisions together give the same file byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from service.lab.dataset.cards import Card
from service.lab.dataset.faults import DatasetError
from service.lab.dataset.prepare import read_export
from service.lab.dataset.records import Picture, Split
from service.lab.truth_review.decisions import (
    AddedPerson,
    Decision,
    IgnoredItem,
    JudgedPerson,
    Judgement,
    NoPerson,
)
from service.lab.truth_review.rule import Box, Item, Labels, Verdict, labels_of, lies_in, ownerless, verdicts
from service.safety.equipment import Equipment

TruthSplit = Literal["valid", "test"]


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class TruthPerson:
    """One person: ``box`` is x1, y1, x2, y2 in pixels of the upright picture; ``how`` says rule or eye."""

    box: Box
    helmet: Judgement
    vest: Judgement
    how: Literal["rule", "looked"]


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class TruthPicture:
    """One picture by file name and sha256 (of the file as published), its size in pixels and its people."""

    picture: str
    split: TruthSplit
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    people: tuple[TruthPerson, ...]


_ROW = TypeAdapter(TruthPicture)


def read_truth(path: Path) -> list[TruthPicture]:
    """Read a truth file, in its order.

    Raises:
        DatasetError: the file can't be read or a row is wrong; names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"can't read this truth ({error})") from error
    pictures = []
    for number, line in enumerate(lines, start=1):
        try:
            pictures.append(_ROW.validate_json(line))
        except ValidationError as error:
            raise DatasetError(path, f"not a row of person truth: {error}", number) from error
    return pictures


def write_truth(path: Path, pictures: Iterable[TruthPicture]) -> None:
    """Write one JSON row a picture; equal pictures give equal bytes on every machine."""
    rows = (json.dumps(_ROW.dump_python(picture, mode="json"), ensure_ascii=False) + "\n" for picture in pictures)
    path.write_text("".join(rows), encoding="utf-8", newline="\n")


def make_truth(card: Card, folder: Path, splits: Sequence[Split], decisions: Sequence[Decision]) -> list[TruthPicture]:
    """Make the truth of an export's `splits`: labels, then the rule, then what was decided by looking.

    Args:
        card: the export's card; its name chooses among the decisions.
        folder: the export on disk.
        splits: which of valid and test to make.
        decisions: all decisions; those of other sources are left alone.

    Returns:
        One row a picture, by split (valid first) and file name.

    Raises:
        DatasetError: a picture can't be read, an ambiguous person or an item without a person is undecided, or a
            decision speaks of a box that the labels do not hold.
    """
    mine: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.source == card.name:
            mine.setdefault(decision.picture, []).append(decision)
    wanted: dict[str, TruthSplit] = {split: split for split in ("valid", "test") if split in splits}
    pictures = list(read_export(folder))
    unknown = sorted(mine.keys() - {picture.path.name for picture in pictures})
    if unknown:
        raise DatasetError(folder, f"decided on a picture that is not in this export: {unknown[0]}")
    rows = [
        _picture(picture, wanted[picture.split], card, mine.get(picture.path.name, []))
        for picture in pictures
        if picture.split in wanted
    ]
    return sorted(rows, key=lambda row: (row.split != "valid", row.picture))


def _picture(picture: Picture, split: TruthSplit, card: Card, decisions: Sequence[Decision]) -> TruthPicture:
    content = picture.path.read_bytes()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)  # upright: EXIF rotation is applied
    if pixels is None:
        raise DatasetError(picture.path, "can't be decoded as a picture")
    height, width = pixels.shape[:2]
    people = _people(picture.path, labels_of(picture, card, width, height), decisions)
    digest = hashlib.sha256(content).hexdigest()
    return TruthPicture(picture.path.name, split, digest, width, height, tuple(people))


def _people(path: Path, labels: Labels, decisions: Sequence[Decision]) -> list[TruthPerson]:
    _refuse_stale(path, labels, decisions)
    added = [decision for decision in decisions if isinstance(decision, AddedPerson)]
    _refuse_ownerless(
        path, labels, added, {decision.box for decision in decisions if isinstance(decision, IgnoredItem)}
    )
    dropped = {decision.box for decision in decisions if isinstance(decision, NoPerson)}
    judged = {decision.box: decision for decision in decisions if isinstance(decision, JudgedPerson)}
    people = [
        _looked(judged[verdict.person]) if verdict.person in judged else _by_rule(path, verdict)
        for verdict in verdicts(labels)
        if verdict.person not in dropped
    ]
    return people + [_looked(person) for person in added]


def _looked(decision: JudgedPerson | AddedPerson) -> TruthPerson:
    return TruthPerson(decision.box, decision.helmet, decision.vest, "looked")


def _by_rule(path: Path, verdict: Verdict) -> TruthPerson:
    if verdict.doubts:
        raise DatasetError(
            path, f"person at {_corners(verdict.person)} is ambiguous ({', '.join(verdict.doubts)}) and undecided"
        )

    def judgement(equipment: Equipment) -> Judgement:
        return "worn" if verdict.items[equipment].worn else "missing"

    return TruthPerson(verdict.person, judgement("helmet"), judgement("vest"), "rule")


def _refuse_stale(path: Path, labels: Labels, decisions: Sequence[Decision]) -> None:
    """Every decision but an added person must speak of a box that is there: labels may have changed under it."""
    items = {item.box for item in labels.items}
    for decision in decisions:
        there = items if isinstance(decision, IgnoredItem) else set(labels.people)
        if not isinstance(decision, AddedPerson) and decision.box not in there:
            raise DatasetError(path, f"a decision speaks of a box that is not labelled: {_corners(decision.box)}")


def _refuse_ownerless(path: Path, labels: Labels, added: Sequence[AddedPerson], ignored: set[Box]) -> None:
    def settled(item: Item) -> bool:
        # Anywhere in an added person's box will do: whoever added the person saw the item.
        return item.box in ignored or any(lies_in(item.box, person.box) for person in added)

    for item in ownerless(labels):
        if not settled(item):
            raise DatasetError(path, f"{item.equipment} item at {_corners(item.box)} fits no person and is undecided")


def _corners(box: Box) -> str:
    return ", ".join(f"{value:g}" for value in box)
