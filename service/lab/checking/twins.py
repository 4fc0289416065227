"""Pictures that show the same: equal files, and of those that are nearest what a comparison says is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from service.lab.checking.candidates import candidates
from service.lab.checking.sameness import Same, comparing
from service.lab.checking.survey import Seen

EQUAL: Final = "equal files"
Pair = tuple[int, int]
Key = tuple[str, str]
"""A file's digest and a split."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Pairs of pictures (indices into those given) that show the same, and how that is known.

    Not every such pair is named: of a group of copies each has its pair, within its split and in each other split.
    """

    copies: dict[Pair, str]


def twins(seen: Sequence[Seen], on_pair: Callable[[str], None] = lambda _: None) -> Twins:
    """Find the pictures that stand in the set twice."""
    with comparing(len(seen), on_pair) as same:
        return twins_by(seen, same)


def twins_by(seen: Sequence[Seen], same: Same) -> Twins:
    """Find the pictures that stand in the set twice; what is found does not depend on their order.

    What of train was found in another split is put aside and the rest looked at again, until nothing more is found: as
    many pictures of train leak as would have to go, and not as many as stood nearest.
    """
    groups: dict[Key, list[int]] = defaultdict(list)
    for index, shown in enumerate(seen):
        groups[shown.look.digest, shown.picture.split].append(index)
    copies = {_pair(groups[one][0], groups[other][0]): EQUAL for one, other in _across(groups)}
    left = [groups[key][0] for key in sorted(groups)]
    leaking = set(_trained(seen, copies))
    while True:
        found = _compared(seen, [index for index in left if index not in leaking], same)
        copies = found | copies
        more = set(_trained(seen, found)) - leaking
        if not more:
            break
        leaking |= more
    for (one, other), how in list(copies.items()):
        mine, theirs = (groups[seen[index].look.digest, seen[index].picture.split] for index in (one, other))
        if mine is not theirs:
            copies |= {_pair(member, other): how for member in mine} | {_pair(one, member): how for member in theirs}
    copies |= {(first, member): EQUAL for first, *rest in groups.values() for member in rest}
    return Twins(copies)


def _compared(seen: Sequence[Seen], order: Sequence[int], same: Same) -> dict[Pair, str]:
    """Return pairs that show the same, each with how that is known.

    Each picture is compared with its candidates one after the other until one shows the same, for each split apart:
    where a fixed camera filled the set, that is the first one.
    """
    found: dict[Pair, str] = {}
    done: set[tuple[int, str]] = set()
    queues = candidates(seen, order)
    while queues := {key: queue for key, queue in queues.items() if queue and key not in done}:
        asked = sorted({_pair(index, queue.pop(0)) for (index, _), queue in queues.items()})
        verdicts = same([_paths(seen, pair) for pair in asked])
        for one, other in (pair for pair, alike in zip(asked, verdicts, strict=True) if alike):
            mates = seen[one].picture.base == seen[other].picture.base
            found[one, other] = "one base name" if mates else "it looks the same"
            done |= _answered(seen, one, other)
    return found


def _trained(seen: Sequence[Seen], pairs: Iterable[Pair]) -> Iterator[int]:
    """Yield the pictures of train that pairs find in another split."""
    for pair in pairs:
        splits = [seen[index].picture.split for index in pair]
        if splits[0] != splits[1]:
            yield from (index for index, split in zip(pair, splits, strict=True) if split == "train")


def _across(groups: Iterable[Key]) -> Iterator[tuple[Key, Key]]:
    """Yield pairs of groups of one digest in two splits."""
    splits: dict[str, list[str]] = defaultdict(list)
    for digest, split in groups:
        splits[digest].append(split)
    for digest, listed in splits.items():
        yield from (((digest, one), (digest, other)) for one, other in combinations(listed, 2))


def _answered(seen: Sequence[Seen], one: int, other: int) -> set[tuple[int, str]]:
    """Return which pictures have their twin by this pair, and in which split."""
    splits = [seen[index].picture.split for index in (one, other)]
    if splits[0] != splits[1]:
        return {(one, splits[1]), (other, splits[0])}
    return {(max(one, other, key=lambda index: seen[index].look.digest), splits[0])}


def _paths(seen: Sequence[Seen], pair: Pair) -> tuple[Path, Path]:
    """Return the paths of two pictures, in an order of their own: the comparison is not the same both ways."""
    one, other = sorted(pair, key=lambda index: (seen[index].look.digest, seen[index].picture.split))
    return seen[one].picture.path, seen[other].picture.path


def _pair(one: int, other: int) -> Pair:
    return min(one, other), max(one, other)
