"""Which pictures are worth comparing by local features: with each one the few nearest, so that it stays linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.lab.checking.joining import BLOCK
from service.lab.checking.survey import Seen

NEAREST: Final = 3
"""Pictures of each other split that a picture is compared with for each reason there is: name, hash, embedding."""
NEAR: Final = 0.8
"""Cosine of two embeddings from which they are worth that: 99 of 100 pairs of different pictures are below."""
HASH: Final = 10
"""Bits of 64 in which the perceptual hashes of near copies may differ."""


def candidates(seen: Sequence[Seen], order: Sequence[int]) -> dict[tuple[int, str], list[int]]:
    """Return for each picture and split the pictures to compare it with, the most likely first.

    Across splits those are pictures of one base name, near ones by hash and near ones by embedding. Within its split a
    picture meets, by hash, only those that stand before it, so that who has a partner is one too many.

    Args:
        seen: the pictures.
        order: indices of those that take part, in an order that does not depend on how they were listed.
    """
    listed = np.array(order, dtype=np.int64)
    prints = np.array([seen[index].look.fingerprints for index in order], dtype=np.uint64).reshape(-1, 2)
    embedded = np.array([seen[index].look.embedding for index in order])
    mirrored = np.array([seen[index].look.mirrored for index in order])
    bases = np.array([seen[index].picture.base for index in order])
    splits = np.array([seen[index].picture.split for index in order])
    found: dict[tuple[int, str], list[int]] = {}
    for split in np.unique(splits):
        pool = np.flatnonzero(splits == split)
        for start in range(0, len(order), BLOCK):
            block = embedded[start : start + BLOCK]
            apart = 1 - np.maximum(block @ embedded[pool].T, block @ mirrored[pool].T)
            for place, far in enumerate(apart, start):
                mate = bases[pool] == bases[place]
                bits = np.bitwise_count(prints[pool] ^ prints[place, 0]).min(axis=1).astype(np.int64)
                if split == splits[place]:
                    near = _nearest(bits, ~mate & (bits <= HASH) & (pool < place))
                else:
                    near = [
                        *_nearest(far, mate),
                        *_nearest(bits, ~mate & (bits <= HASH)),
                        *_nearest(far, ~mate & (far <= 1 - NEAR)),
                    ]
                if near:
                    found[order[place], str(split)] = [int(listed[pool[row]]) for row in dict.fromkeys(near)]
    return found


def _nearest(distance: NDArray[Any], among: NDArray[np.bool_]) -> list[int]:
    """Return the `NEAREST` of those rows that are `among`, the nearest first."""
    chosen = np.flatnonzero(among)
    return [int(row) for row in chosen[np.argsort(distance[chosen], kind="stable")[:NEAREST]]]
