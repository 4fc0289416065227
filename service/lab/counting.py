"""Judge a model as the job judges it: per person and equipment, was a missing one called missing?

Predicted and true people are matched one to one at IoU >= 0.5 (best total IoU). Then, for one equipment:
true positive = truth missing, said missing; false positive = said missing where truth is worn, or about a person who is
not there; miss = truth missing and said worn, said unknown, or not found. Who can't be judged by eye counts nowhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from service.lab.slices import Light, Place
from service.lab.truth import TruthPicture
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.inference import Box
from service.safety.overlap import iou
from service.safety.wearing import Sighting

MATCH_IOU: Final = 0.5
Where = Callable[[Place], bool]
"""Which people are counted (`slices.SLICES`)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: its truth, what was said, pixels as the model saw them for one pixel of the picture, its light."""

    truth: TruthPicture
    said: tuple[Sighting, ...]
    scale: float
    light: Light | None = None

    def place(self, box: Box) -> Place:
        """Return where a box is."""
        return Place(box, self.truth.width, self.truth.height, len(self.truth.people), self.light)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts for one equipment over some pictures."""

    true_positive: int
    false_positive: int
    missed_worn: int
    missed_unknown: int
    missed_not_found: int
    worn: int
    worn_unknown: int
    not_judgeable: int

    @property
    def missing(self) -> int:
        """How many people truly lack it."""
        return self.true_positive + self.missed_worn + self.missed_unknown + self.missed_not_found

    @property
    def said(self) -> int:
        """How many were said to lack it."""
        return self.true_positive + self.false_positive

    @property
    def precision(self) -> float:
        """Share of those said to lack it who do; NaN when none was."""
        return self.true_positive / self.said if self.said else math.nan

    @property
    def recall(self) -> float:
        """Share of those who lack it who were said to; NaN when nobody does."""
        return self.true_positive / self.missing if self.missing else math.nan

    def as_json(self) -> dict[str, float | int | list[float] | None]:
        """Return counts, shares and 95 % Wilson intervals."""
        return {
            "missing": self.missing,
            "worn": self.worn,
            "not_judgeable": self.not_judgeable,
            "true_positive": self.true_positive,
            "false_positive": self.false_positive,
            "missed_said_worn": self.missed_worn,
            "missed_unknown": self.missed_unknown,
            "missed_not_found": self.missed_not_found,
            "precision": _number(self.precision),
            "precision_95": wilson(self.true_positive, self.said),
            "recall": _number(self.recall),
            "recall_95": wilson(self.true_positive, self.missing),
            "unknown_among_missing": _number(self.missed_unknown / self.missing if self.missing else math.nan),
            "unknown_among_worn": _number(self.worn_unknown / self.worn if self.worn else math.nan),
        }


def count(
    pictures: Iterable[Judged],
    equipment: Equipment,
    least: float = 0.0,
    most: float = math.inf,
    where: Where = lambda _: True,
) -> Tally:
    """Count one equipment over people whose height, as the model saw them, is in [least, most).

    A true person's height and place decide; where there is none, the predicted one's.
    """
    counts: Counter[str] = Counter()
    for picture in pictures:
        _count_picture(picture, equipment, lambda height: least <= height < most, where, counts)
    return Tally(
        true_positive=counts["missing/missing"],
        false_positive=counts["worn/missing"] + counts["nobody/missing"],
        missed_worn=counts["missing/worn"],
        missed_unknown=counts["missing/unknown"],
        missed_not_found=counts["missing/not found"],
        worn=sum(number for key, number in counts.items() if key.startswith("worn/")),
        worn_unknown=counts["worn/unknown"],
        not_judgeable=sum(number for key, number in counts.items() if key.startswith("not_judgeable/")),
    )


def _count_picture(
    picture: Judged, equipment: Equipment, tall: Callable[[float], bool], where: Where, counts: Counter[str]
) -> None:
    truth, said = picture.truth.people, picture.said
    found = matched(picture)
    for index, person in enumerate(truth):
        if tall((person.box[3] - person.box[1]) * picture.scale) and where(picture.place(person.box)):
            true_state = person.helmet if equipment == "helmet" else person.vest
            answer = said[found[index]].of(equipment).state if index in found else "not found"
            counts[f"{true_state}/{answer}"] += 1
    for index, sighting in enumerate(said):
        if index not in found.values() and tall(sighting.height) and where(picture.place(sighting.box)):
            counts[f"nobody/{sighting.of(equipment).state}"] += 1


def matched(picture: Judged) -> dict[int, int]:
    """Return which true person is found by which sighting."""
    overlap = iou([person.box for person in picture.truth.people], [sighting.box for sighting in picture.said])
    rows, columns = linear_sum_assignment(-np.where(overlap >= MATCH_IOU, overlap, 0.0))
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[r, c] >= MATCH_IOU}


def people_found(
    pictures: Iterable[Judged], least: float = 0.0, most: float = math.inf, where: Where = lambda _: True
) -> dict[str, object]:
    """Count true people, those no sighting finds, and sightings of nobody, whatever anybody wears."""
    people = lost = nobody = unknown = 0
    for picture in pictures:
        found = matched(picture)
        for index, person in enumerate(picture.truth.people):
            if least <= (person.box[3] - person.box[1]) * picture.scale < most and where(picture.place(person.box)):
                people += 1
                lost += index not in found
                unknown += index in found and "unknown" in _states(picture.said[found[index]])
        nobody += sum(
            index not in found.values() and least <= sighting.height < most and where(picture.place(sighting.box))
            for index, sighting in enumerate(picture.said)
        )
    return {
        "people": people,
        "not_found": lost,
        "not_found_share": _number(lost / people if people else math.nan),
        "not_found_95": wilson(lost, people),
        "something_unknown": unknown,
        "nobody_there": nobody,
    }


def _states(sighting: Sighting) -> set[str]:
    return {sighting.of(equipment).state for equipment in EQUIPMENT}


def wilson(successes: int, trials: int, z: float = 1.959964) -> list[float]:
    """Return the 95 % score interval of a share (Wilson 1927), as [low, high] in 0..1."""
    if not trials:
        return [0.0, 1.0]
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return [round(max(0.0, (middle - spread) / scale), 4), round(min(1.0, (middle + spread) / scale), 4)]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def tallies(
    pictures: list[Judged], least: float = 0.0, most: float = math.inf, where: Where = lambda _: True
) -> dict[str, dict[str, object]]:
    """Count every equipment."""
    return {equipment: dict(count(pictures, equipment, least, most, where).as_json()) for equipment in EQUIPMENT}
