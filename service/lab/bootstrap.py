"""Is one model better than another, or were the pictures kind? Paired bootstrap intervals of the differences.

Scenes are drawn with replacement, the same for both models, and every figure is computed again; the middle 95 % of the
differences are the interval (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, percentile method). Scenes
and not pictures or people are drawn, because frames of one video stand and fall together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.lab.boxes import curve, hits
from service.lab.counting import count
from service.lab.looking import ACCEPTED_HEIGHT, Seen, judge
from service.safety.equipment import CLASSES, EQUIPMENT
from service.safety.thresholds import Thresholds

DRAWS: Final = 1000
FEWEST: Final = 10
"""With fewer scenes that have a part in a figure, no interval is given: it would be too narrow."""
Weights = NDArray[np.float64]
"""(pictures,) float64: how often each picture counts."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A model's figures over some pictures.

    Attributes:
        of: computes them from how often each picture counts; what can't be computed is NaN.
        held: per figure, (pictures,) bool: which pictures have a part in it.
    """

    of: Callable[[Weights], dict[str, float]]
    held: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both models, their difference (one - other), its 95 % interval, and how many scenes bear on it.

    Without an interval (None) there are fewer scenes than `FEWEST`.
    """

    one: float
    other: float
    difference: float
    low: float | None
    high: float | None
    scenes: int


def figures(seen: Sequence[Seen], thresholds: Thresholds) -> Figures:
    """Prepare a model's figures.

    They are AP50 per class and its mean, on labels of one convention where there are labels; and of people from
    `looking.ACCEPTED_HEIGHT` on, recall and precision of "missing" per equipment.
    """
    pairs = [one.pair("one convention") for one in seen if one.labels]
    boxes = {name: hits(pairs, number) for number, name in enumerate(CLASSES)} if len(pairs) == len(seen) else {}
    judged = judge(list(seen), thresholds)
    counted = {}
    held = {f"AP50 {name}": one.labels > 0 for name, one in boxes.items()}
    held["AP50 mean"] = np.any([*held.values(), np.zeros(len(seen), bool)], axis=0)
    for equipment in EQUIPMENT:
        each = [count([one], equipment, ACCEPTED_HEIGHT) for one in judged]
        counted[equipment] = np.array([(one.true_positive, one.missing, one.said) for one in each], np.float64)
        held[f"recall of missing {equipment}"] = counted[equipment][:, 1] > 0
        held[f"precision of missing {equipment}"] = counted[equipment][:, 2] > 0

    def of(weight: Weights) -> dict[str, float]:
        found = {f"AP50 {name}": float(curve(one, weight).mean()) for name, one in boxes.items()}
        present = [value for value in found.values() if not np.isnan(value)]
        found["AP50 mean"] = float(np.mean(present)) if present else np.nan
        for equipment, table in counted.items():
            right, missing, said = weight @ table
            found[f"recall of missing {equipment}"] = right / missing if missing else np.nan
            found[f"precision of missing {equipment}"] = right / said if said else np.nan
        return found

    return Figures(of, held)


def differences(
    one: Figures, other: Figures, scenes: Sequence[str], *, draws: int = DRAWS, seed: int = 1
) -> dict[str, Difference]:
    """Compare two models' figures over the same pictures; figures that either of them lacks are left out.

    Args:
        one, other: see `figures`.
        scenes: each picture's scene.
        draws: how often scenes are drawn.
        seed: equal seeds give equal intervals.
    """
    listed = sorted(set(scenes))
    of = np.array([listed.index(scene) for scene in scenes])
    rng = np.random.default_rng(seed)
    whole = np.ones(len(of))
    first, second = one.of(whole), other.of(whole)
    drawn: dict[str, list[float]] = {name: [] for name in first}
    for _ in range(draws):
        weight = np.bincount(rng.integers(len(listed), size=len(listed)), minlength=len(listed))[of].astype(np.float64)
        mine, theirs = one.of(weight), other.of(weight)
        for name, values in drawn.items():
            values.append(mine[name] - theirs[name])
    found = {}
    for name, values in drawn.items():
        known = np.array(values)[~np.isnan(values)]
        if len(known) and not np.isnan(first[name] - second[name]):
            held = len(set(of[one.held[name] | other.held[name]]))
            low, high = (round(float(value), 4) for value in np.percentile(known, [2.5, 97.5]))
            found[name] = Difference(
                one=round(first[name], 4),
                other=round(second[name], 4),
                difference=round(first[name] - second[name], 4),
                low=low if held >= FEWEST else None,
                high=high if held >= FEWEST else None,
                scenes=held,
            )
    return found
