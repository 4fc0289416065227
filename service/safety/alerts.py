"""The alert book: violations that last become alerts, and alerts end. It knows nothing of sending.

One alert a person, zone and equipment. It fires after `on_delay` and `least_sightings`, resolves after `off_delay` of
evidence of worn, and closes as lost_sight when nothing was seen for `lost_after`; unknown pauses every clock and
resolves nothing. Who reappears within `reopen_within` (compliance says it is the same person) continues their alert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from service.safety.compliance import LONGEST_STEP
from service.safety.equipment import Equipment
from service.safety.inference import Box
from service.safety.moment import Moment
from service.safety.rules import Demand
from service.safety.site import AlertPolicy, Severity

Kind = Literal["fired", "updated", "resolved", "lost_sight"]
Ending = Literal["worn", "lost_sight"]
Key = tuple[str, str, Equipment]
"""(person, zone, equipment)"""


@dataclass(frozen=True, slots=True)
class Alert:
    """A violation that lasted.

    Attributes:
        id: sixteen hex digits, the same for the same violation in every replay.
        since: when the violation began; `fired` when it became an alert; `seen` when it was last seen violated.
        ended: when it ended, and `ending` how; None while it is open.
        by_absence, zone_uncertain: see `rules.Demand`.
    """

    id: str
    camera: str
    person: str
    zone: str
    equipment: Equipment
    severity: Severity
    since: Moment
    fired: Moment
    seen: Moment
    box: Box
    ended: Moment | None = None
    ending: Ending | None = None
    by_absence: bool = False
    zone_uncertain: bool = False

    @property
    def key(self) -> Key:
        """Which person, zone and equipment it is about."""
        return self.person, self.zone, self.equipment


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One alert changed: it fired, was continued after lost_sight (updated), or ended (resolved, lost_sight)."""

    kind: Kind
    alert: Alert
    at: Moment


@dataclass(frozen=True, slots=True)
class _Pending:
    """A violation that is no alert yet.

    Attributes:
        belief_since: when its evidence began, as compliance says.
        start: where its clock started: there, or later: when it was first asked for (the person came into the zone, the
            shift began), or when a long unknown reset it.
        before: frames that said missing before the clock started; they do not count.
        expired: it was unknown for too long; seen again, it starts anew.
    """

    belief_since: Moment
    start: Moment
    before: int = 0
    paused: float = 0.0
    unknown_for: float = 0.0
    expired: bool = False


@dataclass(frozen=True, slots=True)
class _Open:
    alert: Alert
    evidence: Moment
    worn_for: float = 0.0
    worn: bool = False


class AlertBook:
    """All alerts of one camera. One method advances it."""

    def __init__(self, camera: str, policy: AlertPolicy) -> None:
        self._camera = camera
        self._policy = policy
        self._asked: dict[Key, tuple[Moment, Moment]] = {}
        self._pending: dict[Key, _Pending] = {}
        self._open: dict[Key, _Open] = {}
        self._lost: dict[Key, _Open] = {}
        self._last: Moment | None = None

    @property
    def open(self) -> tuple[Alert, ...]:
        """The alerts that are open now."""
        return tuple(entry.alert for entry in self._open.values())

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take over alerts from before a restart, on this run's clock: open ones, and lost ones that may reappear."""
        for alert in alerts:
            if alert.ended is None:
                self._open[alert.key] = _Open(alert, alert.seen)
            elif alert.ending == "lost_sight":
                self._lost[alert.key] = _Open(alert, alert.seen)

    def advance(self, demands: Iterable[Demand], at: Moment) -> tuple[AlertChange, ...]:
        """Take one frame's demands; return what changed, in a fixed order."""
        step = min(LONGEST_STEP, at.since(self._last)) if self._last is not None else 0.0
        self._last = at
        current = {(demand.person, demand.zone, demand.equipment): demand for demand in demands}
        self._ask(current.keys(), at)
        changes = []
        for key, demand in sorted(current.items()):
            if key in self._open:
                changes += self._advance_open(key, demand, step, at)
            else:
                changes += self._advance_pending(key, demand, step, at)
        changes += self._forget(current.keys(), step, at)
        return tuple(changes)

    def _ask(self, present: Collection[Key], at: Moment) -> None:
        """Note since when each equipment is asked of each person; an absence as short as `pause` does not count."""
        for key in present:
            first, last = self._asked.get(key, (at, at))
            self._asked[key] = (first if at.since(last) <= self._policy.pause + LONGEST_STEP else at, at)
        for key, (_, last) in list(self._asked.items()):
            if at.since(last) > self._policy.pause + LONGEST_STEP:
                del self._asked[key]

    def _advance_pending(self, key: Key, demand: Demand, step: float, at: Moment) -> list[AlertChange]:
        waiting = self._pending.pop(key, None)
        if demand.standing == "met":
            self._lost.pop(key, None)
            return []
        if demand.standing == "unknown":
            self._pause(key, waiting, step)
            return []
        if key in self._lost:
            if not demand.confirmed:
                return []
            continued = self._lost.pop(key)
            alert = replace(continued.alert, seen=at, box=demand.box, ended=None, ending=None)
            self._open[key] = _Open(alert, at)
            return [AlertChange("updated", alert, at)]
        if waiting is None or waiting.belief_since != demand.since:
            asked = self._asked[key][0]
            late = asked.since(demand.since) > 0
            waiting = _Pending(demand.since, asked if late else demand.since, _before(demand) if late else 0)
        elif waiting.expired:
            waiting = _Pending(demand.since, at, _before(demand))
        waiting = replace(waiting, unknown_for=0.0)
        lasted = at.since(waiting.start) - waiting.paused
        enough = demand.by_absence or demand.sightings - waiting.before >= self._policy.least_sightings
        if demand.confirmed and enough and lasted + 1e-9 >= self._policy.on_delay:
            alert = self._alert(demand, waiting.start, at)
            self._open[key] = _Open(alert, at)
            return [AlertChange("fired", alert, at)]
        self._pending[key] = waiting
        return []

    def _pause(self, key: Key, waiting: _Pending | None, step: float) -> None:
        """Hold a waiting violation's clock through an unknown; one longer than `pause` resets it."""
        if waiting is None or waiting.unknown_for > self._policy.reopen_within:
            return
        unknown_for = waiting.unknown_for + step
        self._pending[key] = replace(
            waiting,
            paused=waiting.paused + step,
            unknown_for=unknown_for,
            expired=waiting.expired or unknown_for > self._policy.pause,
        )

    def _advance_open(self, key: Key, demand: Demand, step: float, at: Moment) -> list[AlertChange]:
        entry = self._open[key]
        if demand.standing == "violated":
            self._open[key] = _Open(replace(entry.alert, seen=at, box=demand.box), at)
        elif demand.standing == "met":
            worn_for = entry.worn_for + (step if entry.worn else 0.0)
            self._open[key] = _Open(replace(entry.alert, box=demand.box), at, worn_for, worn=True)
            if worn_for + 1e-9 >= self._policy.off_delay:
                return self._end(key, "worn", at)
        elif at.since(entry.evidence) >= self._policy.lost_after:
            return self._end(key, "lost_sight", at)
        return []

    def _forget(self, present: Collection[Key], step: float, at: Moment) -> list[AlertChange]:
        """Advance what is about people who are not on this frame, or of whom nothing is required where they are."""
        for key in [key for key in self._pending if key not in present]:
            self._pause(key, self._pending.pop(key), step)
        for key, entry in list(self._lost.items()):
            if at.since(entry.evidence) > self._policy.reopen_within:
                del self._lost[key]
        silent = [
            key
            for key, entry in sorted(self._open.items())
            if key not in present and at.since(entry.evidence) >= self._policy.lost_after
        ]
        return [change for key in silent for change in self._end(key, "lost_sight", at)]

    def _end(self, key: Key, ending: Ending, at: Moment) -> list[AlertChange]:
        entry = self._open.pop(key)
        alert = replace(entry.alert, ended=at, ending=ending)
        if ending == "worn":
            return [AlertChange("resolved", alert, at)]
        self._lost[key] = replace(entry, alert=alert)
        return [AlertChange("lost_sight", alert, at)]

    def _alert(self, demand: Demand, since: Moment, at: Moment) -> Alert:
        name = f"{self._camera}|{demand.zone}|{demand.equipment}|{since.wall_ms}|{demand.person}"
        return Alert(
            id=hashlib.sha256(name.encode()).hexdigest()[:16],
            camera=self._camera,
            person=demand.person,
            zone=demand.zone,
            equipment=demand.equipment,
            severity=self._policy.severity[demand.equipment],
            since=since,
            fired=at,
            seen=at,
            box=demand.box,
            by_absence=demand.by_absence,
            zone_uncertain=demand.zone_uncertain,
        )


def _before(demand: Demand) -> int:
    return max(0, demand.sightings - 1)
