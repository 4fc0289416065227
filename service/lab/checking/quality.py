"""Pictures and boxes as the model will see them: small, coarse, blurred, grey or dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from service.lab.checking.findings import FEW, SHOWN, Code, Example, Finding, Level, counted
from service.lab.checking.looking import Look
from service.lab.checking.survey import Seen, Survey
from service.safety.equipment import CLASSES

TINY, SMALL, MIDDLE = 8, 16, 32
"""Pixels of a box's shorter side at the training size. The finest grid of YOLO11 has cells of 8 pixels, COCO calls an
object small below 32."""
BLURRED: Final = 0.5
"""Of `pixels.blur`, from which a picture counts as blurred: sharp photographs measure 0.2 to 0.4, the same blurred with
a sigma of 1.5 pixels 0.5, of 3 pixels 0.7."""
GREY, DARK, BRIGHT = 2.0, 60.0, 220.0
"""Mean colourfulness below which a picture counts as grey; median brightness below which it counts as dark, and above
which as washed out."""
COARSE: Final = 0.5
"""Longest side over training size below which a picture has to be enlarged to more than twice its size."""


def find(survey: Survey) -> Iterator[Finding]:
    """Yield what is odd about sizes, sharpness and light."""
    yield from _small(survey)
    yield from _pictures(
        survey,
        "low-resolution",
        "Pictures of low resolution",
        lambda look: max(look.width, look.height) < COARSE * survey.imgsz,
        lambda look: f"{look.width} x {look.height}",
        f"have a longest side below {COARSE * survey.imgsz:.0f} pixels and are enlarged for training at {survey.imgsz}",
        "Fetch them larger, or train at a smaller size.",
        warn_from=0.1,
    )
    yield from _pictures(
        survey,
        "blurred",
        "Blurred pictures",
        lambda look: look.blur >= BLURRED,
        lambda look: f"blur {look.blur:.2f}",
        f"are blurred (blur effect {BLURRED} or more at 640 pixels)",
        "Leave them out, unless your cameras are like that; look whether blur was an augmentation of the export.",
        warn_from=0.1,
    )
    yield from _pictures(
        survey,
        "grey",
        "Pictures without colour",
        lambda look: look.colour < GREY,
        lambda look: f"colourfulness {look.colour:.1f}",
        "are grey",
        "Fine for infrared cameras. Vests are told by their colour, so a large share of grey pictures costs recall; "
        "export without greyscale augmentation.",
        warn_from=0.2,
    )
    yield from _light(survey)


def _small(survey: Survey) -> Iterator[Finding]:
    table = survey.table
    if not len(table.boxes):
        return
    side = table.size.min(axis=1)
    rows: list[tuple[str, ...]] = [("class", "boxes", *(f"under {limit} px" for limit in (TINY, SMALL, MIDDLE)))]
    worst, low = 0.0, np.zeros(len(side), dtype=bool)
    for name in CLASSES:
        mine = table.is_a(name)
        if mine.sum() < 20:
            continue
        shares = [float((side[mine] < limit).mean()) for limit in (TINY, SMALL, MIDDLE)]
        rows.append((name, f"{int(mine.sum()):,}", *(f"{100 * share:.1f} %" for share in shares)))
        worst = max(worst, shares[0] / 0.05, shares[1] / 0.25)
        low |= mine & (side < TINY)
    named = table.class_id >= 0
    count = int((named & (side < SMALL)).sum())
    if len(rows) > 1 and count:
        where, many = np.unique(table.of[low], return_counts=True)
        crowd = where[np.argsort(-many, kind="stable")][:SHOWN]
        yield Finding(
            "small-boxes",
            "warning" if worst >= 1 else "note",
            "Small boxes",
            f"{counted(count, int(named.sum()), 'boxes')} have a shorter side under {SMALL} pixels at {survey.imgsz}.",
            f"Under {TINY} pixels nothing can be learnt but noise: leave such boxes out, or train at a larger size. "
            f"Fragments cut by a border or a mosaic are the usual cause.",
            count,
            int(named.sum()),
            tuple(
                Example(
                    survey.seen[index].picture.path,
                    survey.seen[index].picture.path.name,
                    tuple(table.boxes[row] for row in np.flatnonzero(low & (table.of == index))),
                )
                for index in crowd
            ),
            tuple(rows),
        )


def _light(survey: Survey) -> Iterator[Finding]:
    dark = [one for one in survey.seen if one.look.brightness < DARK]
    bright = [one for one in survey.seen if one.look.brightness > BRIGHT]
    total = len(survey.seen)
    said = "Nothing in it says how a model does at night or in a dark hall. " if len(dark) < 0.02 * total else ""
    yield Finding(
        "dark",
        "note",
        "Dark and bright pictures",
        f"{counted(len(dark), total, 'pictures')} are dark (median brightness under {DARK:.0f} of 255), "
        f"{counted(len(bright), total, 'pictures')} washed out (over {BRIGHT:.0f}).",
        said + "Add pictures in the light that your cameras see.",
        len(dark),
        total,
        _examples(sorted(dark, key=lambda one: one.look.brightness), lambda look: f"brightness {look.brightness:.0f}"),
    )


def _pictures(  # noqa: PLR0913, PLR0917 - one kind of finding, told in its parts
    survey: Survey,
    code: Code,
    title: str,
    odd: Callable[[Look], bool],
    caption: Callable[[Look], str],
    what: str,
    mend: str,
    warn_from: float,
) -> Iterator[Finding]:
    found = [one for one in survey.seen if odd(one.look)]
    if len(found) >= FEW * len(survey.seen) and found:
        level: Level = "warning" if len(found) >= warn_from * len(survey.seen) else "note"
        said = f"{counted(len(found), len(survey.seen), 'pictures')} {what}."
        yield Finding(code, level, title, said, mend, len(found), len(survey.seen), _examples(found, caption))


def _examples(found: list[Seen], caption: Callable[[Look], str]) -> tuple[Example, ...]:
    return tuple(
        Example(one.picture.path, f"{one.picture.path.name}: {caption(one.look)}")
        for one in found[:: max(1, len(found) // SHOWN)][:SHOWN]
    )
