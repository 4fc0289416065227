"""What a check can find: a closed list of codes, three levels, plain words, and the worst examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from service.lab.dataset.records import LabelledBox

Level = Literal["fault", "warning", "note"]
"""A fault makes training or its figures wrong, a warning makes the model worse, a note is good to know."""

Code = Literal[
    "broken-row", "missing-label", "orphan-label", "unreadable-picture", "missing-picture", "duplicate-box",
    "polygon-labels",
    "class-missing", "class-missing-in-split", "class-by-source", "class-rare", "few-boxes", "label-not-in-card",
    "class-apart", "people-not-labelled", "no-held-out-split",
    "item-without-person", "person-without-item", "upper-bodies", "border-cut", "crowded",
    "small-boxes", "low-resolution", "blurred",
    "one-scene", "grey", "dark",
    "augmented-copies", "mosaic", "cut-outs", "noise",
    "duplicate-picture", "labels-differ", "leak-copy", "leak-video",
    "head-boxes", "shuffled-labels",
    "model-missing-box", "model-wrong-class", "model-loose-box",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One picture that shows a finding; `boxes` are drawn on it, `beside` is a second picture to compare it with."""

    picture: Path
    caption: str
    boxes: tuple[LabelledBox, ...] = ()
    beside: Path | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, odd or worth knowing: `count` of `of` pictures or boxes, as `what` says."""

    code: Code
    level: Level
    title: str
    what: str
    mend: str
    count: int
    of: int
    examples: tuple[Example, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """A table; the first row is its head."""


FEW: Final = 0.01
"""Share of pictures below which an oddity of pictures is no finding."""
SHOWN: Final = 8
"""Examples that a finding shows at most."""


def counted(count: int, of: int, things: str) -> str:
    """Return ``34 of 280 things (12 %)``."""
    share = 100 * count / of if of else 0.0
    exact = f"{share:.0f}" if share >= 10 or not count else f"{share:.1f}"
    return f"{count:,} of {of:,} {things} ({exact} %)"
