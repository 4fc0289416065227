"""The same picture twice: in one split it is counted double, in two splits it makes measured figures too good."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from service.lab.checking.findings import SHOWN, Example, Finding, counted
from service.lab.checking.sameness import same
from service.lab.checking.survey import Seen, Survey
from service.lab.dataset.records import Picture

NEAREST: Final = 3
"""Pictures of the other splits that each held-out picture is compared with by local features."""
NEAR: Final = 0.8
"""Cosine of two embeddings from which they are worth that: 99 of 100 pairs of different pictures are below."""
HASH: Final = 10
"""Bits of 64 in which the perceptual hashes of near copies may differ."""
EQUAL: Final = "equal files"
_VIDEO: Final = re.compile(
    r"^(?P<video>.+?)[-_. ]*(mp4|mov|avi|mkv|webm|m4v|mpg|frame|frames)[-_. ]+\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Twins:
    """Pairs of pictures (indices into those given) that show the same, and how that is known."""

    copies: dict[tuple[int, int], str]


def video_of(picture: Picture) -> str | None:
    """Return the video that a file name says a picture is a frame of (``gate_mp4-12_jpg`` -> ``gate``), or None."""
    found = _VIDEO.match(picture.base)
    return found["video"].casefold() if found else None


def twins(seen: Sequence[Seen], on_pair: Callable[[str], None] = lambda _: None) -> Twins:
    """Find the pictures that stand in the set twice: equal files, equal base names, and what looks the same."""
    copies: dict[tuple[int, int], str] = {}
    by_digest: dict[str, list[int]] = defaultdict(list)
    by_base: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(seen):
        by_digest[one.look.digest].append(index)
        by_base[one.picture.base].append(index)
    for group in by_digest.values():
        copies.update(dict.fromkeys(combinations(group, 2), EQUAL))
    named = {pair for group in by_base.values() for pair in combinations(group, 2) if _apart(seen, pair)}
    candidates = sorted((named | _lookalikes(seen)) - copies.keys())
    paths = [(seen[a].picture.path, seen[b].picture.path) for a, b in candidates]
    for pair, alike in zip(candidates, same(paths, on_pair), strict=True):
        if alike:
            copies[pair] = "one base name" if pair in named else "local features agree"
    return Twins(copies)


def _apart(seen: Sequence[Seen], pair: tuple[int, int]) -> bool:
    one, other = (seen[index].picture for index in pair)
    return one.split != other.split


def _lookalikes(seen: Sequence[Seen]) -> set[tuple[int, int]]:
    """Return pairs that may be the same: near by hash within a split, near by hash or embedding across splits."""
    prints = np.array([one.look.fingerprints for one in seen], dtype=np.uint64)
    embedded = np.array([one.look.embedding for one in seen])
    mirrored = np.array([one.look.mirrored for one in seen])
    splits = np.array([one.picture.split for one in seen])
    bases = np.array([one.picture.base for one in seen])
    found: set[tuple[int, int]] = set()
    for index in range(len(prints)):
        other = bases != bases[index]
        bits = np.bitwise_count(prints ^ prints[index, 0]).min(axis=1)
        near = np.flatnonzero((bits <= HASH) & other)
        pairs = [int(match) for match in near[near > index][: 2 * NEAREST]]
        if splits[index] != "train":
            alike = np.maximum(embedded @ embedded[index], mirrored @ embedded[index])
            cosine = np.where((splits != splits[index]) & other, alike, -1.0)
            nearest = np.argsort(-cosine, kind="stable")[:NEAREST]
            pairs += [int(match) for match in nearest if cosine[match] >= NEAR]
        found |= {(min(index, match), max(index, match)) for match in pairs}
    return found


def find(survey: Survey, known: Twins) -> Iterator[Finding]:
    """Yield duplicates within splits, and what leaks across them."""
    across = {pair: how for pair, how in known.copies.items() if _apart(survey.seen, pair)}
    within = {pair: how for pair, how in known.copies.items() if pair not in across}
    if within:
        count = len({other for _, other in within})
        yield Finding(
            "duplicate-picture",
            "warning" if count >= 0.02 * len(survey.seen) else "note",
            "Pictures that stand in one split twice",
            f"{counted(count, len(survey.seen), 'pictures')} show the same as another one of their split.",
            "Keep one of each; `ppe dataset fix` removes equal files.",
            count,
            len(survey.seen),
            _examples(survey, within),
        )
    held = [index for index, one in enumerate(survey.seen) if one.picture.split != "train"]
    if across:
        leaked = {index for pair in across for index in pair} & set(held)
        trained = {index for pair in across for index in pair} - leaked
        yield Finding(
            "leak-copy",
            "fault" if trained else "warning",
            "Pictures that stand in several splits",
            f"{counted(len(leaked), len(held), 'pictures of valid and test')} show the same as a picture of another "
            "split: copies, cuts, frames of one moment. "
            + (
                f"{counted(len(trained), len(survey.seen) - len(held), 'pictures of train')} are among them, so that a "
                "model which remembers looks good."
                if trained
                else "None of train is among them: only what is chosen on valid looks too good on test."
            ),
            "Keep such pictures in one split; `ppe dataset fix` removes those of train.",
            len(leaked),
            len(held),
            _examples(survey, across),
        )
    yield from _videos(survey, held)


def _videos(survey: Survey, held: list[int]) -> Iterator[Finding]:
    by_video: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(survey.seen):
        if video := video_of(one.picture):
            by_video[video].append(index)
    shared = {
        name: rows for name, rows in by_video.items() if len({survey.seen[row].picture.split for row in rows}) > 1
    }
    leaked = [row for rows in shared.values() for row in rows if survey.seen[row].picture.split != "train"]
    if not leaked:
        return
    table = [
        (name, *(str(sum(survey.seen[row].picture.split == split for row in rows)) for split in survey.splits))
        for name, rows in sorted(shared.items(), key=lambda pair: -len(pair[1]))
    ]
    yield Finding(
        "leak-video",
        "fault" if len(leaked) >= 0.05 * len(held) else "warning",
        "Videos that several splits share",
        f"{counted(len(leaked), len(held), 'pictures of valid and test')} are frames of {len(shared)} videos that "
        "another split holds frames of too (by their file names). Figures measured on them are too good.",
        "Divide the set by video: every frame of a video in one split.",
        len(leaked),
        len(held),
        tuple(_pair(survey, rows, "one video") for rows in list(shared.values())[:SHOWN]),
        (("video", *survey.splits), *table[:30]),
    )


def _pair(survey: Survey, rows: list[int], how: str) -> Example:
    """Show the first of `rows` beside the first that stands in another split, or the second."""
    one = survey.seen[rows[0]].picture
    others = [survey.seen[row].picture for row in rows[1:]]
    other = next((picture for picture in others if picture.split != one.split), others[0])
    return Example(one.path, f"{one.split}/{one.path.name}\n{other.split}/{other.path.name}\n{how}", (), other.path)


def _examples(survey: Survey, pairs: dict[tuple[int, int], str]) -> tuple[Example, ...]:
    return tuple(_pair(survey, list(pair), how) for pair, how in list(pairs.items())[:SHOWN])
