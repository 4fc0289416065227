"""How much of what is asked can be seen: person-seconds by state, and when a camera can't judge.

Every compliance rate is printed with its coverage, judged over observed person-seconds. A camera can't judge when, of
at least 60 person-seconds in 15 minutes, more than half were unknown; it can again when that falls under a third.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from service.safety.compliance import LONGEST_STEP
from service.safety.equipment import EQUIPMENT, Equipment, State
from service.safety.moment import Moment
from service.safety.rules import Demand, Standing

WINDOW: Final = 15 * 60.0
LEAST: Final = 60.0
BEGINS: Final = 1 / 2
ENDS: Final = 1 / 3
_BUCKET: Final = 60.0

_STATES: Final[dict[Standing, State]] = {"met": "worn", "violated": "missing", "unknown": "unknown"}

PersonSeconds = dict[tuple[str, Equipment, State], float]
"""By the zone in which people are judged, which is the one that an alert would name, by equipment and its state."""
Blind = Literal["mostly_unknown", "detector_failed"]
"""Why a camera can't judge: people are seen and mostly not what they wear, or the detector gives no answers."""


def blindness(equipment: Equipment, reason: Blind) -> str:
    """Name the condition of a camera that can't judge an equipment for a reason."""
    return f"cannot_judge {equipment} {reason}"


@dataclass(frozen=True, slots=True)
class CannotJudge:
    """A camera began or ceased to be unable to judge an equipment.

    Attributes:
        unknown_share: share of unknown person-seconds in the window.
        person_seconds: observed person-seconds in the window.
        window: the last seconds that the two numbers are of.
    """

    camera: str
    equipment: Equipment
    begins: bool
    unknown_share: float
    person_seconds: float
    at: Moment
    reason: Blind = "mostly_unknown"
    window: float = WINDOW

    @property
    def condition(self) -> str:
        """The name of what begins or is over."""
        return blindness(self.equipment, self.reason)


class Coverage:
    """Person-seconds of one camera. One method advances it."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._buckets: deque[tuple[float, Counter[tuple[Equipment, State]]]] = deque()
        self._blind: set[Equipment] = set()
        self._last: Moment | None = None

    def restore(self, blind: Iterable[Equipment]) -> None:
        """Take over from before a restart what the camera could not judge: that it can again is a change."""
        self._blind.update(blind)

    def advance(self, demands: Iterable[Demand], at: Moment) -> tuple[PersonSeconds, tuple[CannotJudge, ...]]:
        """Take one frame's demands; return the person-seconds that it adds and what changed."""
        step = min(LONGEST_STEP, at.since(self._last)) if self._last is not None else 0.0
        self._last = at
        added: Counter[tuple[str, Equipment, State]] = Counter()
        for demand in demands:
            added[demand.zone, demand.equipment, _STATES[demand.standing]] += step  # type: ignore[assignment]  # seconds
        if not self._buckets or at.seconds - self._buckets[-1][0] >= _BUCKET:
            self._buckets.append((at.seconds, Counter()))
        for (_, equipment, state), seconds in added.items():
            self._buckets[-1][1][equipment, state] += seconds
        while at.seconds - self._buckets[0][0] > WINDOW:
            self._buckets.popleft()
        return dict(added), tuple(change for equipment in EQUIPMENT for change in self._changed(equipment, at))

    def _changed(self, equipment: Equipment, at: Moment) -> Iterable[CannotJudge]:
        seconds: dict[State, float] = {
            state: sum(counts[equipment, state] for _, counts in self._buckets)
            for state in ("worn", "missing", "unknown")
        }
        total = sum(seconds.values())
        if total < LEAST:
            return
        share = seconds["unknown"] / total
        blind: Literal["begins", "ends"] | None = None
        if equipment not in self._blind and share > BEGINS:
            self._blind.add(equipment)
            blind = "begins"
        elif equipment in self._blind and share < ENDS:
            self._blind.discard(equipment)
            blind = "ends"
        if blind:
            yield CannotJudge(self._camera, equipment, blind == "begins", share, total, at)
