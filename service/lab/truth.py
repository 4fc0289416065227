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
from service.lab.dataset.layouts import read_export
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
from service.lab.undecided import Doubt, UndecidedError, corners, doubt_about, doubt_of
from service.safety.equipment import Equipment

TruthSplit = Literal["valid", "test"]


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class TruthPerson:
    """One person: ``box`` is x1, y1, x2, y2 in pixels of the upright picture; ``how`` says rule, eye or only labels."""

    box: Box
    helmet: Judgement
    vest: Judgement
    how: Literal["rule", "looked", "labels"]


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
        UndecidedError: ambiguous people or items without a person are undecided; it lists all of them.
        DatasetError: a picture can't be read, or a decision speaks of a box that the labels do not hold.
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
    made = [
        _picture(picture, wanted[picture.split], card, mine.get(picture.path.name, []))
        for picture in sorted(pictures, key=lambda picture: (picture.split != "valid", picture.path.name))
        if picture.split in wanted
    ]
    if doubts := [doubt for _, undecided in made for doubt in undecided]:
        raise UndecidedError(folder, doubts)
    return [row for row, _ in made]


def _picture(
    picture: Picture, split: TruthSplit, card: Card, decisions: Sequence[Decision]
) -> tuple[TruthPicture, list[Doubt]]:
    """Return one row, and who and what is left out of it because nobody decided."""
    content = picture.path.read_bytes()
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)  # upright: EXIF rotation is applied
    if pixels is None:
        raise DatasetError(picture.path, "can't be decoded as a picture")
    height, width = pixels.shape[:2]
    labels = labels_of(picture, card, width, height)
    _refuse_stale(picture.path, labels, decisions)
    people, undecided = _people(labels, decisions)
    name = picture.path.name
    doubts = [doubt_of(card.name, name, item) for item in _unsettled(labels, decisions)]
    doubts += [doubt_about(card.name, name, verdict) for verdict in undecided]
    digest = hashlib.sha256(content).hexdigest()
    return TruthPicture(name, split, digest, width, height, tuple(people)), doubts


def _people(labels: Labels, decisions: Sequence[Decision]) -> tuple[list[TruthPerson], list[Verdict]]:
    """Return the people of a picture as the labels, the rule and the decisions say, and the verdicts left in doubt."""
    dropped = {decision.box for decision in decisions if isinstance(decision, NoPerson)}
    judged = {decision.box: decision for decision in decisions if isinstance(decision, JudgedPerson)}
    people, undecided = [], []
    for verdict in verdicts(labels):
        if verdict.person in dropped:
            continue
        if verdict.person in judged:
            people.append(_looked(judged[verdict.person]))
        elif verdict.doubts:
            undecided.append(verdict)
        else:
            people.append(_by_rule(verdict))
    people += [_looked(decision) for decision in decisions if isinstance(decision, AddedPerson)]
    return people, undecided


def _looked(decision: JudgedPerson | AddedPerson) -> TruthPerson:
    return TruthPerson(decision.box, decision.helmet, decision.vest, "looked")


def _by_rule(verdict: Verdict) -> TruthPerson:
    def judgement(equipment: Equipment) -> Judgement:
        return "worn" if verdict.items[equipment].worn else "missing"

    return TruthPerson(verdict.person, judgement("helmet"), judgement("vest"), "rule")


def _refuse_stale(path: Path, labels: Labels, decisions: Sequence[Decision]) -> None:
    """Every decision but an added person must speak of a box that is there: labels may have changed under it."""
    items = {item.box for item in labels.items}
    for decision in decisions:
        there = items if isinstance(decision, IgnoredItem) else set(labels.people)
        if not isinstance(decision, AddedPerson) and decision.box not in there:
            raise DatasetError(path, f"a decision speaks of a box that is not labelled: {corners(decision.box)}")


def _unsettled(labels: Labels, decisions: Sequence[Decision]) -> list[Item]:
    """Return the items that fit no labelled person, were not decided to be ignored, and lie on no added person."""
    added = [decision for decision in decisions if isinstance(decision, AddedPerson)]
    ignored = {decision.box for decision in decisions if isinstance(decision, IgnoredItem)}

    def settled(item: Item) -> bool:
        # Anywhere in an added person's box will do: whoever added the person saw the item.
        return item.box in ignored or any(lies_in(item.box, person.box) for person in added)

    return [item for item in ownerless(labels) if not settled(item)]
