"""One-sidedness: how many different scenes are there, and does one dominate?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.leaks import Twins, video_of
from service.lab.checking.survey import Survey

ALIKE: Final = 0.93
"""Cosine of two embeddings from which pictures are taken to show one scene: nearest neighbours among pictures of
different scenes stay below 0.9 in 95 of 100."""
MOST: Final = 0.2
"""Share of the pictures in one scene from which it dominates."""
_LEAST: Final = 30


def find(survey: Survey, known: Twins) -> Iterator[Finding]:
    """Yield a finding when one scene dominates the set."""
    scene = scenes(survey, known)
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


def scenes(survey: Survey, known: Twins) -> list[int]:
    """Return for each picture the number of its scene: what copies, base names, videos and embeddings join."""
    parent = list(range(len(survey.seen)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    joined = list(known.copies)
    for index, one in enumerate(survey.seen):
        keys = (("base", one.picture.base), ("video", video_of(one.picture) or ""))
        joined += [(first.setdefault(key, index), index) for key in keys if key[1]]
    embedded = np.array([one.look.embedding for one in survey.seen])
    for index in range(len(embedded)):
        alike = np.flatnonzero(embedded[:index] @ embedded[index] >= ALIKE)
        joined += [(int(other), index) for other in alike]
    for one_index, other in joined:
        parent[root(one_index)] = root(other)
    return [root(index) for index in range(len(parent))]
