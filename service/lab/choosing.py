"""Choose what stands in the manifest: confidences per class for a stated precision, and minimum heights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.lab.counting import Judged, Tally, count
from service.lab.looking import ACCEPTED_HEIGHT, BANDS, Seen, judge
from service.safety.equipment import EQUIPMENT
from service.safety.thresholds import Thresholds

PRECISION: Final = 0.93
"""Share of the people said to lack something who do, if nothing else is asked."""
LEAST_RECALL: Final = 0.15
LEAST_PRECISION: Final = 0.9
"""Under one of them, of "missing", a height band is called too small to judge (docs/decisions/0007)."""


def choose(seen: list[Seen], start: Thresholds, precision: float = PRECISION) -> Thresholds:
    """Choose thresholds and minimum heights on some pictures: those of ``tune``."""
    return fitted(seen, choose_thresholds(seen, start, precision))


def fitted(seen: list[Seen], thresholds: Thresholds) -> Thresholds:
    """Return thresholds with the least heights at which they are good enough."""
    open_to_all = thresholds.model_copy(update={"minimum_height": dict.fromkeys(EQUIPMENT, 0.0)})
    return thresholds.model_copy(update={"minimum_height": least_heights(judge(seen, open_to_all))})


def choose_thresholds(seen: list[Seen], start: Thresholds, precision: float = PRECISION) -> Thresholds:
    """Choose the thresholds that find most missing equipment at a stated precision, from the accepted height on.

    One value after the other takes the one on a grid that is worth most (`_worth`) without the precision of either
    equipment falling under `precision`; of several that are worth the same the one in the middle, which leaves room to
    both sides on other pictures. Each is judged with the minimum heights that it leads to: one false alarm more can
    cost a whole height band. Two rounds, so that late choices reach early ones.
    """
    chosen = start
    for _ in range(2):
        for name in ("no-helmet", "helmet", "no-vest", "vest", "person", "inferred"):
            worth = [(_worth(seen, one, precision), one) for one in _variants(chosen, name)]
            best = max(value for value, _ in worth)
            tied = [one for value, one in worth if value == best]
            chosen = tied[(len(tied) - 1) // 2]
    return chosen


def _variants(thresholds: Thresholds, name: str) -> Iterator[Thresholds]:
    """Yield `thresholds` with one value changed, from high to low."""
    for percent in (60, 55, 50, 45, 40, 35, 30, 25, 20, 18, 16, 14, 12, 10):
        if name in ("person", "inferred") and percent < 25:
            return  # weaker boxes are rarely people: in a stream they would be ghosts
        if name == "inferred":
            yield thresholds.model_copy(update={"inferred_confidence": percent / 100})
        else:
            yield thresholds.model_copy(update={"confidence": {**thresholds.confidence, name: percent / 100}})


def _worth(seen: list[Seen], thresholds: Thresholds, precision: float) -> float:
    """Return recall of missing plus half the known share of worn, of both; less where alarms are false."""
    judged = judge(seen, fitted(seen, thresholds))
    counted: list[Tally] = [count(judged, equipment, ACCEPTED_HEIGHT) for equipment in EQUIPMENT]
    short = sum(max(0.0, precision - one.precision) for one in counted if one.said)
    known = sum(1 - one.worn_unknown / one.worn for one in counted if one.worn)
    return round(sum(one.recall for one in counted if one.missing) + known / 2 - 10 * short, 6)


def least_heights(
    judged: list[Judged], recall: float = LEAST_RECALL, precision: float = LEAST_PRECISION
) -> dict[str, float]:
    """Return, per equipment, the lower edge of the smallest height band from which on both shares are reached."""
    least: dict[str, float] = {}
    for equipment in EQUIPMENT:
        good = BANDS[-1][0]
        for band in reversed(BANDS):
            tally = count(judged, equipment, *band)
            if not tally.missing or tally.recall < recall or (tally.said and tally.precision < precision):
                break
            good = band[0]
        least[equipment] = good
    return least
