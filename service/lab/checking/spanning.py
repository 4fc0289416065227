"""What leaks across splits, and whether it can leave train: single copies can; a scene that fills train can't."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from service.lab.checking.contradicting import contradicting
from service.lab.checking.joining import scenes
from service.lab.checking.survey import Seen

TRAINED, HELD = 3, 2
"""Different base pictures of train, and of valid and test, that leak within one scene from which it spans splits."""
MOST: Final = 0.5
"""Share of a scene's pictures of train that leak, from which it spans splits; and share of train up to which what such
scenes hold of it is left out to mend that. Beyond, too little would be left: the set was divided by lot."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Leaks:
    """What shows the same in several splits; all are indices of pictures.

    Attributes:
        pairs: those of them that a pair was found of, each with how.
        held: pictures of valid and test.
        trained: pictures of train.
        scenes: of scenes that span splits what leaks, the largest first.
        removable: of `trained`, what can leave train.
        unsettled: of `trained`, what is equal to another file that is labelled otherwise: somebody has to look first.
    """

    pairs: dict[Pair, str]
    held: frozenset[int]
    trained: frozenset[int]
    scenes: tuple[tuple[int, ...], ...]
    removable: frozenset[int]
    unsettled: frozenset[int]

    @property
    def staying(self) -> frozenset[int]:
        """What leaks and stays in train, because too little would be left of it: the set needs a new split."""
        return self.trained - self.removable - self.unsettled


def leaks_of(seen: Sequence[Seen], copies: dict[Pair, str]) -> Leaks:
    """Return what leaks: `copies` are pairs of pictures (indices) that show the same, each with how that is known."""
    pairs = {(a, b): how for (a, b), how in copies.items() if seen[a].picture.split != seen[b].picture.split}
    met = {index for pair in pairs for index in pair}
    held = {index for index in met if seen[index].picture.split != "train"}
    trained = met - held
    everything = sum(one.picture.split == "train" for one in seen)
    spanning = _spanning(seen, copies, met) if trained else []
    shared = trained & {index for scene in spanning for index in scene}
    removable = trained if len(shared) <= MOST * everything else trained - shared
    removable = removable if len(removable) < everything else set()
    unsettled = trained & {index for group in contradicting(seen) for index in group}
    return Leaks(
        pairs,
        frozenset(held),
        frozenset(trained),
        tuple(spanning),
        frozenset(removable - unsettled),
        frozenset(unsettled),
    )


def _spanning(seen: Sequence[Seen], copies: Iterable[Pair], met: set[int]) -> list[tuple[int, ...]]:
    """Return the scenes of which most of train leaks: of a scene that looks joined by chance, only few do."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(scenes(seen, copies)):
        members[group].append(index)
    found = []
    for scene in members.values():
        leaking = tuple(index for index in scene if index in met)
        bases = [
            {seen[index].picture.base for index in leaking if (seen[index].picture.split == "train") is trained}
            for trained in (True, False)
        ]
        here = [index for index in scene if seen[index].picture.split == "train"]
        if len(bases[0]) >= TRAINED and len(bases[1]) >= HELD and len(met & set(here)) >= MOST * len(here):
            found.append(leaking)
    return sorted(found, key=len, reverse=True)
