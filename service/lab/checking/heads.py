"""Conventions of head boxes: is a helmet's box the shell, a bare head's box more than a brow, as the product expects?

Measured is the gap between a head's box and the torso's box of the same person, in heights of the head's box: it does
not depend on size, on whether people are labelled, or on pictures that were stretched to a square. In public sets the
median is 0.3 to 0.4 where helmets are boxed as the shell and -0.2 where they are boxed as the whole head; for bare
heads it is -0.2 to 0.3 for the whole head and 0.8 from the hair to the eyes. Where torsos are not labelled, the share
of a standing person's height is taken: 0.12 to 0.13 for shells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding
from service.lab.checking.people import Match, relative
from service.lab.checking.survey import Survey
from service.lab.dataset.cards import Card
from service.safety.equipment import ClassName
from service.safety.inference import Box

LEAST: Final = 20
"""Heads below which a median says nothing."""
_STANDING: Final = 2.2
"""Height over width from which a person is taken to stand upright."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What the product expects of one class: range and middle of the gap, range and middle of the share of height."""

    meant: str
    gap: tuple[float, float]
    middle: float
    share: tuple[float, float]
    share_middle: float


EXPECTED: Final[dict[ClassName, Convention]] = {
    "helmet": Convention("the shell", (0.05, 0.65), 0.35, (0.08, 0.17), 0.125),
    "no-helmet": Convention("the head from the hair to the nose or chin", (-0.35, 0.55), 0.2, (0.09, 0.24), 0.15),
}


def find(survey: Survey, matched: list[Match]) -> Iterator[Finding]:
    """Yield a finding for each head class whose boxes are not as expected, as published or as the card has them."""
    for name, expected in EXPECTED.items():
        state = "worn" if name == "helmet" else "missing"
        heads = [one for one in matched if one.sighting.helmet.state == state and one.sighting.helmet.box is not None]
        known = _known(survey.card, name)
        published, how = _factor(heads, expected, 1.0)
        left, _ = _factor(heads, expected, known)
        if published is None and left is None:
            continue
        factor = known * (left or 1.0)
        kind = "loose" if factor < 1 else "tight" if factor > 1 else "changed by the card for nothing"
        done = f"; the card does so ({known:g})" if left is None and known != 1 else ""
        yield Finding(
            "head-boxes",
            "warning" if left else "note",
            f"{name} boxes are {kind}" + (" (the card mends it)" if done else ""),
            f"The product means {expected.meant} by a {name} box. Here {how or 'they are so as published'}. Heights "
            f"times {factor:.1f} bring them to its convention{done}.",
            f"Say so in the card's [box_heights]: the label that means {name} = {factor:.1f}. Under mixed conventions "
            "a model's boxes fit neither, and its measured precision drops.",
            len(heads),
            len(heads),
            tuple(_example(survey, one, name) for one in heads[:: max(1, len(heads) // SHOWN)][:SHOWN]),
        )


def _known(card: Card, name: ClassName) -> float:
    factors = [card.box_height(label) for label, target in card.labels.items() if target == name]
    return float(np.median(factors)) if factors else 1.0


def _factor(heads: list[Match], expected: Convention, known: float) -> tuple[float | None, str]:
    """Say what heights, already multiplied by `known`, should be multiplied by.

    Returns:
        the factor, None where they fit or nothing can be said; and what was measured, in words.
    """
    gaps = [gap for one in heads if (gap := _gap(one.sighting.helmet.box, one.sighting.vest.box)) is not None]
    if len(gaps) >= LEAST:
        gap = (float(np.median(gaps)) - (known - 1)) / known
        if expected.gap[0] <= gap <= expected.gap[1]:
            return None, ""
        place = f"{abs(gap):.2f} of its height {'above' if gap > 0 else 'below'} the torso's upper edge"
        return (1 + gap) / (1 + expected.middle), f"the median box ends {place} ({len(gaps)} heads)"
    shares = [share for one in heads if (share := _share(one)) is not None]
    if len(shares) >= LEAST:
        share = float(np.median(shares)) * known
        if expected.share[0] <= share <= expected.share[1]:
            return None, ""
        place = f"{100 * share:.0f} % of a standing person's height"
        return expected.share_middle / share, f"the median box takes {place} ({len(shares)} heads)"
    return None, ""


def _gap(head: Box | None, torso: Box | None) -> float | None:
    """Return how far a head's box ends above its torso's, in heights of the head's box."""
    return (torso[1] - head[3]) / (head[3] - head[1]) if head and torso and head[3] > head[1] else None


def _share(one: Match) -> float | None:
    x1, y1, x2, y2 = one.sighting.box
    head = one.sighting.helmet.box
    whole = not one.sighting.box_inferred and y1 > 1 and (y2 - y1) > _STANDING * (x2 - x1)
    return (head[3] - head[1]) / (y2 - y1) if whole and head else None


def _example(survey: Survey, one: Match, name: ClassName) -> Example:
    seen = survey.seen[one.picture]
    boxes = [
        relative(label, box, seen.look)
        for label, box in ((name, one.sighting.helmet.box), ("", one.sighting.vest.box))
        if box is not None
    ]
    return Example(seen.picture.path, seen.picture.path.name, tuple(box for box in boxes if box))
