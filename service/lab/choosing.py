"""Choose what stands in the manifest: confidences per class for a stated precision, and minimum heights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.lab.counting import Judged, Tally, count
from service.lab.looking import ACCEPTED_HEIGHT, BANDS, Seen, judge
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.thresholds import Thresholds

PRECISION: Final = 0.90
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

    One value after the other takes the one on a grid that is worth most (`_worth`) of those with which the precision of
    neither equipment falls under `precision`; where there is none, of those that fall short least (`reached` tells). No
    recall makes up for it: who asks for a precision has said what a false alarm costs. Of several that are worth the
    same the one in the middle is taken, which leaves room to both sides on other pictures. Each is judged with the
    minimum heights that it leads to: one false alarm more can cost a whole height band. Two rounds, so that late
    choices reach early ones.
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


def _worth(seen: list[Seen], thresholds: Thresholds, precision: float) -> tuple[float, float]:
    """Return how little precision lacks, first; then recall of missing plus half the known share of worn, of both."""
    counted = reached(seen, fitted(seen, thresholds)).values()
    lacking = sum(short(one, precision) for one in counted)
    known = sum(1 - one.worn_unknown / one.worn for one in counted if one.worn)
    return round(-lacking, 6), round(sum(one.recall for one in counted if one.missing) + known / 2, 6)


def reached(seen: list[Seen], thresholds: Thresholds) -> dict[Equipment, Tally]:
    """Count each equipment as it is counted to choose: from the accepted height on."""
    judged = judge(seen, thresholds)
    return {equipment: count(judged, equipment, ACCEPTED_HEIGHT) for equipment in EQUIPMENT}


def short(found: Tally, precision: float) -> float:
    """Return what the precision of missing lacks to the asked one; 0 where nobody is said to lack anything."""
    return max(0.0, precision - found.precision) if found.said else 0.0


def told(equipment: Equipment, found: Tally, precision: float) -> str:
    """Say in one sentence what was asked of one equipment and what was reached."""
    asked = f"{precision:.2f}"
    if not found.said:
        what = f"nobody is said to lack it (asked {asked}),"
    elif short(found, precision):
        what = f"precision {found.precision:.2f}, NOT the {asked} asked: nothing that was tried reaches it, "
        what += "this comes nearest;"
    else:
        what = f"precision {found.precision:.2f} (asked {asked}),"
    return f"missing {equipment}: {what} {found.true_positive} of {found.missing} who lack it are found"


def as_scores(counted: Mapping[Equipment, Tally], precision: float) -> dict[str, Any]:
    """Return what the manifest keeps of it, as plain data."""
    kept = ("missing", "worn", "true_positive", "false_positive", "precision", "recall")
    scores: dict[str, Any] = {"asked_precision": precision}
    for equipment, one in counted.items():
        scores[equipment] = {name: one.as_json()[name] for name in kept}
    return scores


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
