"""One-sidedness: how many different scenes are there, and does one dominate?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.joining import scenes
from service.lab.checking.survey import Survey
from service.lab.checking.twins import Twins

MOST: Final = 0.2
"""Share of the pictures in one scene from which it dominates."""
_LEAST: Final = 30


def find(survey: Survey, known: Twins) -> Iterator[Finding]:
    """Yield a finding when one scene dominates the set."""
    scene = scenes(survey.seen, known.copies)
    sizes = Counter(scene)
    (largest, count), total = sizes.most_common(1)[0], len(scene)
    if total < _LEAST or count < MOST * total:
        return
    shown = [index for index, name in enumerate(scene) if name == largest]
    table = [(str(place + 1), f"{size:,}") for place, (_, size) in enumerate(sizes.most_common(10)) if size > 1]
    yield Finding(
        "one-scene",
        "warning",
        "One scene dominates",
        f"{counted(count, total, 'pictures')} show one scene (one base picture, one video, or alike in colours and "
        f"layout). All in all there are about {len(sizes):,} scenes.",
        "Take fewer frames of it and add other cameras: a model learns this background by heart.",
        count,
        total,
        tuple(
            Example(survey.seen[index].picture.path, survey.seen[index].picture.path.name)
            for index in shown[:: max(1, len(shown) // SHOWN)][:SHOWN]
        ),
        (("scene", "pictures"), *table),
    )
