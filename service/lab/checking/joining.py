"""Which pictures belong to one scene: one base picture, one video, one fixed camera."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.lab.checking.survey import Seen
from service.lab.dataset.records import Picture

ALIKE: Final = 0.93
"""Cosine of two embeddings from which pictures are taken to show one scene: nearest neighbours among pictures of
different scenes stay below 0.9 in 95 of 100."""
BLOCK: Final = 256
"""Pictures whose embeddings are multiplied with all others at once: one by one is slow, all together takes memory."""
_VIDEO: Final = re.compile(
    r"^(?P<video>.+?)[-_. ]*(mp4|mov|avi|mkv|webm|m4v|mpg|frame|frames)[-_. ]+\d+", re.IGNORECASE
)


def video_of(picture: Picture) -> str | None:
    """Return the video that a file name says a picture is a frame of (``gate_mp4-12_jpg`` -> ``gate``), or None."""
    found = _VIDEO.match(picture.base)
    return found["video"].casefold() if found else None


def joined(count: int, pairs: Iterable[Sequence[int]]) -> list[int]:
    """Return for each of `count` things the number of its group: the first thing that links of pairs lead to.

    >>> joined(4, [(3, 1)])
    [0, 1, 2, 1]
    """
    groups = np.arange(count)
    for pair in pairs:
        _join(groups, np.asarray(pair))
    return [int(group) for group in groups]


def scenes(seen: Sequence[Seen], copies: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each picture the number of its scene: what copies, base names, videos and embeddings join."""
    first: dict[tuple[str, str], int] = {}
    pairs = list(copies)
    for index, one in enumerate(seen):
        keys = (("base", one.picture.base), ("video", video_of(one.picture) or ""))
        pairs += [(first.setdefault(key, index), index) for key in keys if key[1]]
    groups = np.array(joined(len(seen), pairs), dtype=np.int64)
    embedded = np.array([one.look.embedding for one in seen])
    for start in range(0, len(seen), BLOCK):
        for index, near in enumerate(embedded[start : start + BLOCK] @ embedded.T >= ALIKE, start):
            _join(groups, np.append(np.flatnonzero(near[:index]), index))
    return [int(group) for group in groups]


def _join(groups: NDArray[np.int64], members: NDArray[np.int64]) -> None:
    those = np.unique(groups[members])
    if len(those) > 1:
        groups[np.isin(groups, those)] = those[0]
