"""Check a set: read it, look at it, and let each family of checks say what it found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.lab.checking import (
    against,
    augmented,
    classes,
    heads,
    leaks,
    people,
    quality,
    rows,
    scenes,
    shuffled,
)
from service.lab.checking.findings import Finding, Level
from service.lab.checking.survey import Survey, survey
from service.lab.dataset.cards import Card
from service.ports import Detector

ORDER: Final[tuple[Level, ...]] = ("fault", "warning", "note")


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A set and what was found, worst first; seconds by the clock and of all processes' CPU."""

    survey: Survey
    findings: tuple[Finding, ...]
    seconds: float
    cpu_seconds: float

    def of_level(self, level: Level) -> list[Finding]:
        """Return the findings of one level."""
        return [finding for finding in self.findings if finding.level == level]


def check(
    folder: Path,
    card: Card,
    *,
    imgsz: int = 640,
    detector: Detector | None = None,
    on_picture: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Check an export.

    Args:
        folder: the export, in any layout that `read_export` knows.
        card: what its labels mean.
        imgsz: side in pixels at which it is to be trained; sizes are judged there.
        detector: a model whose doubts are reported too.
        on_picture: called for each picture looked at, for each pair compared and for each picture judged.

    Raises:
        DatasetError: there is no dataset, or none of it can be read.
    """
    began, used = time.monotonic(), _cpu()
    seen = survey(folder, card, imgsz, on_picture)
    found = sorted(_find(seen, detector, on_picture), key=lambda finding: ORDER.index(finding.level))
    return Checked(seen, tuple(found), time.monotonic() - began, _cpu() - used)


def _find(seen: Survey, detector: Detector | None, on_picture: Callable[[str], None]) -> Iterator[Finding]:
    matched = people.matches(seen)
    twins = leaks.twins(seen.seen, on_picture)
    yield from rows.find(seen)
    yield from shuffled.find(seen)
    yield from leaks.find(seen, twins)
    yield from classes.find(seen)
    yield from people.find(seen, matched)
    yield from heads.find(seen, matched)
    yield from augmented.find(seen)
    yield from scenes.find(seen, twins)
    yield from quality.find(seen)
    if detector is not None:
        yield from against.find(seen, detector, on_picture)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
