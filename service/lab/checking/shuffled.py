"""Labels that belong to another picture than they stand beside, found without a model.

Each picture's boxes compete on that picture with boxes of others of its split (`borders`). Labels that belong win 80 to
98 of 100 comparisons in public sets, labels shuffled over the pictures win 50, whatever the set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, Level
from service.lab.checking.survey import Survey

SHUFFLED, DOUBTFUL, SOME = 0.65, 0.75, 0.25
"""Mean share of comparisons won below which most, or some, labels are shuffled; share of pictures that win at most half
from which some are."""
LEAST: Final = 20


def find(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each split whose labels sit on their pictures no better than those of other pictures."""
    for split in survey.splits:
        known = [(one, one.look.fit) for one in survey.of_split(split) if one.look.fit is not None]
        if len(known) < LEAST:
            continue
        shares = np.array([fit for _, fit in known])
        mean, lost = float(shares.mean()), int((shares <= 0.5).sum())
        doubt = 2 * float(shares.std()) / len(shares) ** 0.5
        level: Level | None = None
        if mean - doubt < SHUFFLED:
            level = "fault"
        elif mean < DOUBTFUL or lost >= SOME * len(known):
            level = "warning"
        if level is None:
            continue
        worst = sorted(known, key=lambda pair: pair[1])[:SHOWN]
        yield Finding(
            "shuffled-labels",
            level,
            f"Labels of {split} do not belong to their pictures",
            f"On its own picture a picture's boxes fit what is seen better than other pictures' boxes in "
            f"{100 * mean:.0f} of 100 comparisons; 50 is chance, sets whose labels belong reach 80 or more. "
            f"{lost:,} of {len(known):,} pictures win at most half.",
            "Look at the pictures below. Check that labels and pictures were renamed together; export the set again.",
            lost,
            len(known),
            tuple(
                Example(one.picture.path, f"{one.picture.path.name}: wins {100 * fit:.0f} of 100", one.picture.boxes)
                for one, fit in worst
            ),
        )
