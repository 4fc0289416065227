"""What an export's augmentation left in the pictures: copies, mosaics of four, black cut-outs, salt and pepper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from service.lab.checking.findings import FEW, SHOWN, Code, Example, Finding, counted
from service.lab.checking.looking import NOISY
from service.lab.checking.survey import Seen, Survey

SEAM: Final = 0.4
"""Of `pixels.seams`, both ways, from which a picture counts as a mosaic: mosaics measure 0.4 to 0.9, photographs under
0.35 in 99 of 100."""
MANY: Final = 0.05
"""Share of pictures from which augmentation is a warning."""


def find(survey: Survey) -> Iterator[Finding]:
    """Yield what augmentation left."""
    yield from _copies(survey)
    mosaics = [one for one in survey.seen if min(one.look.seams) >= SEAM]
    yield from _kind(
        survey,
        "mosaic",
        "Mosaics of several pictures",
        mosaics,
        "are cut straight through from edge to edge, both ways: mosaics",
        "Export the set without mosaic. Otherwise train with `--mosaic 0`: mosaics of mosaics show fragments only, and "
        "no camera sees such a picture.",
    )
    yield from _kind(
        survey,
        "cut-outs",
        "Black rectangles",
        [one for one in survey.seen if one.look.patches],
        "hold black rectangles: cut-outs",
        "Export the set without cut-out; training can erase at random by itself.",
    )
    yield from _kind(
        survey,
        "noise",
        "Salt-and-pepper noise",
        sorted((one for one in survey.seen if one.look.impulses >= NOISY), key=lambda one: -one.look.impulses),
        f"have {100 * NOISY:.0f} % or more of their pixels at black or white among others",
        "Export the set without noise: no camera makes it, and it hides small helmets.",
    )


def _copies(survey: Survey) -> Iterator[Finding]:
    bases = Counter((one.picture.split, one.picture.base) for one in survey.seen)
    copies = len(survey.seen) - len(bases)
    if copies:
        most = bases.most_common(1)[0]
        groups = [key for key, count in bases.most_common(2) if count > 1]
        shown = [one for key in groups for one in survey.seen if (one.picture.split, one.picture.base) == key]
        yield Finding(
            "augmented-copies",
            "warning" if copies >= 0.25 * len(survey.seen) else "note",
            "Augmented copies of one picture",
            f"{counted(copies, len(survey.seen), 'pictures')} are further copies; there are {len(bases):,} different "
            f"base pictures, the most copied ({most[0][1]}) {most[1]} times.",
            "Count base pictures, not files. Export one copy each and let training augment.",
            copies,
            len(survey.seen),
            tuple(Example(one.picture.path, one.picture.path.name, one.picture.boxes) for one in shown[:SHOWN]),
        )


def _kind(survey: Survey, code: Code, title: str, found: list[Seen], what: str, mend: str) -> Iterator[Finding]:
    if len(found) >= FEW * len(survey.seen) and found:
        yield Finding(
            code,
            "warning" if len(found) >= MANY * len(survey.seen) else "note",
            title,
            f"{counted(len(found), len(survey.seen), 'pictures')} {what}.",
            mend,
            len(found),
            len(survey.seen),
            tuple(Example(one.picture.path, one.picture.path.name) for one in found[:SHOWN]),
        )
