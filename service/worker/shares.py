"""How cameras share a detector that can't keep up with all of them: arithmetic, without clock or thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from service.ports import Priority

PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "low")
"""In the order in which they are served."""
LEAST: Final = 1.0
"""Frames a second that every camera keeps, whatever the others ask for; who asks for less keeps that."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a camera asks of the detector.

    Attributes:
        fps: frames a second.
        priority: who keeps theirs the longest when there is too little.
        cost: looks that one frame takes: 1, or with tiles as many as there are and one more.
    """

    fps: float
    priority: Priority = "normal"
    cost: float = 1.0


def asked(claims: Iterable[Claim]) -> float:
    """Return the looks a second that all claims ask for together."""
    return sum(claim.fps * claim.cost for claim in claims)


def least(claims: Iterable[Claim]) -> float:
    """Return the looks a second that nobody can be asked to do without."""
    return sum(min(LEAST, claim.fps) * claim.cost for claim in claims)


def allot(claims: Mapping[str, Claim], looks: float) -> dict[str, float]:
    """Share out looks a second.

    Everybody keeps `LEAST` frames a second, even if that is more than there is; of the rest the high priority takes
    what it asks for, then the normal, then the low one. Within a priority all get as many frames a second as each
    other, but nobody more than they ask for (max-min fairness).

    Args:
        looks: looks a second that the detector manages.

    Returns:
        frames a second of each camera, never more than its claim.
    """
    shares = {name: min(LEAST, claim.fps) for name, claim in claims.items()}
    left = looks - sum(shares[name] * claim.cost for name, claim in claims.items())
    for priority in PRIORITIES:
        rising = sorted((name for name in claims if claims[name].priority == priority), key=lambda one: claims[one].fps)
        while rising and left > 0:
            lowest = rising[0]  # all that still rise stand level
            step = claims[lowest].fps - shares[lowest]
            price = sum(claims[name].cost for name in rising)
            taken = min(step, left / price)
            for name in rising:
                shares[name] = min(claims[name].fps, shares[name] + taken)
            left -= taken * price
            rising = rising[1:]
    return shares
