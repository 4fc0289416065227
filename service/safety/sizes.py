"""Are people large enough to be judged here: heights that a camera was seen to have, against what a model needs.

Heights are pixels as the model saw people (after letterboxing). Looking at tiles enlarges them by a factor, and costs a
look more for each tile; no factor gives anybody more pixels than they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.thresholds import Thresholds

BIN: Final = 10
"""Pixels of a histogram's bin."""
LEAST_SECONDS: Final = 60.0
"""Person-seconds under which nothing is said of what is typical."""
ENOUGH: Final = 0.8
"""Share of the time from which people can be judged well enough; a camera says it can't judge below a half."""

Heights = Mapping[int, float]
"""Lower edge of each bin in pixels, to how often a person of that height was seen."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to look at a camera's pictures.

    Attributes:
        tiles: across the longer side; 1 is the whole picture alone.
        cost: looks that a frame takes, the whole one included.
        scale: pixels as the model sees them for one of the picture.
        share: of each equipment, how much of the time people are large enough.
    """

    tiles: int
    cost: int
    scale: float
    share: dict[Equipment, float]

    @property
    def is_enough(self) -> bool:
        """Whether most people can be judged most of the time."""
        return min(self.share.values()) >= ENOUGH


@dataclass(frozen=True, slots=True)
class Sizes:
    """Who was seen on a camera, and who can be judged.

    Attributes:
        seconds: person-seconds that it rests on.
        small, typical, large: the heights that 10, 50 and 90 % of the time stay under; 0 when nobody was seen.
        needed: the smallest height of each equipment.
        now: as the camera is looked at.
        others: other ways, by tiles.
    """

    seconds: float
    small: float
    typical: float
    large: float
    needed: dict[Equipment, float]
    now: Way
    others: tuple[Way, ...]

    @property
    def is_known(self) -> bool:
        """Whether enough people were seen to say anything."""
        return self.seconds >= LEAST_SECONDS and self.typical > 0

    @property
    def better(self) -> Way | None:
        """The cheapest other way that is enough, else the cheapest that clearly gains; None when none does."""
        finer = [way for way in self.others if way.tiles > self.now.tiles]
        enough = [way for way in finer if way.is_enough]
        gaining = [way for way in finer if min(way.share.values()) >= min(self.now.share.values()) + 0.1]
        return min(enough or gaining, key=lambda way: way.cost, default=None)


def sizes(
    heights: Heights,
    seconds: float,
    thresholds: Thresholds,
    now: tuple[int, int, float],
    others: Mapping[int, tuple[int, float]],
) -> Sizes:
    """Say who can be judged.

    Args:
        heights: as the model saw people, the way that is in use.
        seconds: person-seconds behind them.
        thresholds: what the model needs.
        now: tiles, looks a frame, and scale of the way that is in use.
        others: by tiles, the looks a frame and the scale of other ways.
    """
    tiles, cost, scale = now

    def way(across: int, looks: int, at: float) -> Way:
        factor = max(1.0, at / scale) if across >= tiles else at / scale
        return Way(
            across, looks, at, {one: share_from(heights, thresholds.minimum_height[one] / factor) for one in EQUIPMENT}
        )

    return Sizes(
        seconds,
        under(heights, 0.1),
        under(heights, 0.5),
        under(heights, 0.9),
        dict(thresholds.minimum_height),
        way(tiles, cost, scale),
        tuple(way(across, *others[across]) for across in sorted(others) if across != tiles),
    )


def share_from(heights: Heights, least: float) -> float:
    """Return the share of heights of at least so many pixels; within a bin they are spread evenly. 0 of nobody."""
    total = sum(heights.values())
    above = sum(count * min(1.0, max(0.0, (low + BIN - least) / BIN)) for low, count in heights.items())
    return above / total if total else 0.0


def under(heights: Heights, share: float) -> float:
    """Return the height that a share of all stays under, in pixels; 0 of nobody."""
    left = share * sum(heights.values())
    for low, count in sorted(heights.items()):
        if count and left <= count:
            return low + BIN * left / count
        left -= count
    return 0.0
