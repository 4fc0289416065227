"""Whom the rule of person truth can't settle and nobody has decided: all of them, and how a decision is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from service.lab.dataset.faults import DatasetError
from service.lab.truth_review.decisions import Judgement
from service.lab.truth_review.rule import Box, Item, Verdict

LISTED: Final = 20
"""How many a message names; `write_doubts` writes all."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One person, or one item that fits nobody, that has to be looked at.

    Attributes:
        box: pixels of the upright picture, to a tenth: a decision names the same.
        what: what is undecided.
        helmet, vest: what the rule knows nevertheless.
    """

    source: str
    picture: str
    kind: Literal["person", "item"]
    box: Box
    what: str
    helmet: Judgement | None = None
    vest: Judgement | None = None

    def row(self) -> dict[str, Any]:
        """Return a decision with a question mark for everything that has to be decided."""
        row = {"source": self.source, "picture": self.picture, "box": self.box, "why": f"? {self.what}"}
        if self.kind == "item":
            return {**row, "kind": "?"}
        return {**row, "kind": "person", "helmet": self.helmet or "?", "vest": self.vest or "?"}


class UndecidedError(DatasetError):
    """A truth can't be made yet; names whom to look at and how to write down what was seen."""

    def __init__(self, folder: Path, doubts: Sequence[Doubt]) -> None:
        self.doubts = tuple(doubts)
        people = sum(one.kind == "person" for one in doubts)
        counts = [(people, "person", "people"), (len(doubts) - people, "item", "items")]
        told = " and ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
        lines = [f"{told} {'is' if len(doubts) == 1 else 'are'} undecided:"]
        lines += [f"  {one.picture}: {one.what} and is undecided" for one in doubts[:LISTED]]
        lines += [f"  and {len(doubts) - LISTED} more"] if len(doubts) > LISTED else []
        lines += ["Look, and decide each by a row such as this one (docs/truth.md says which kinds there are):"]
        super().__init__(folder, "\n".join([*lines, json.dumps(doubts[0].row(), ensure_ascii=False)]))


def doubt_about(source: str, picture: str, verdict: Verdict) -> Doubt:
    """Return why a person is ambiguous."""
    known: dict[str, Judgement] = {
        equipment: "worn" if item.worn else "missing" for equipment, item in verdict.items.items()
    }
    what = f"person at {corners(verdict.person)} is ambiguous ({', '.join(verdict.doubts)})"
    return Doubt(source, picture, "person", verdict.person, what, known.get("helmet"), known.get("vest"))


def doubt_of(source: str, picture: str, item: Item) -> Doubt:
    """Return that an item fits nobody."""
    return Doubt(source, picture, "item", item.box, f"{item.equipment} item at {corners(item.box)} fits no person")


def write_doubts(path: Path, doubts: Iterable[Doubt]) -> None:
    """Write a row each, to be completed and given as decisions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (json.dumps(one.row(), ensure_ascii=False) + "\n" for one in doubts)
    path.write_text("".join(rows), encoding="utf-8", newline="\n")


def corners(box: Box) -> str:
    """Return a box as it is read: x1, y1, x2, y2."""
    return ", ".join(f"{value:g}" for value in box)
