"""What is believed about each tracked person over time, from one sighting a frame.

Evidence is counted in seconds, not in frames: each sighting adds its weight times the time it stands for, old evidence
fades. A belief turns when most of the fresh evidence says so, so one odd frame changes nothing; `since` is the moment
at which the evidence that turned it began. Who vanishes and reappears near by within a minute is the same person
(tracks end at occlusions, people do not).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from service.safety.equipment import EQUIPMENT, MISSING_CLASS, WORN_CLASS, Equipment, Reason, State
from service.safety.inference import Box
from service.safety.moment import Moment
from service.safety.thresholds import Thresholds
from service.safety.wearing import Sighting

FADE: Final = 2.0
"""Seconds after which evidence weighs 1/e."""
FRESH: Final = 1.5
"""Seconds without a decisive sighting after which a belief is unknown."""
ENOUGH: Final = 0.2
"""Weighted seconds of evidence that a belief needs."""
TURN: Final = 0.6
"""Share of the evidence that turns a belief; between 1 - TURN and TURN it stays what it was."""
LONGEST_STEP: Final = 1.0
"""Seconds that one frame stands for at most."""

SLOWER: Final = 0.1
"""Body heights that each second out of sight counts for when several lost people could be the one who reappears."""
NEWCOMER: Final = 2.0
"""Seconds in which somebody new can still turn out to be somebody lost."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed about one equipment on one person.

    Attributes:
        since: when the evidence for this state began.
        sightings: frames that said missing since then (0 unless missing).
        unseen_since: since when a head or torso is well visible and nothing on it says either way; None otherwise.
    """

    state: State
    reason: Reason | None
    since: Moment
    sightings: int = 0
    unseen_since: Moment | None = None


@dataclass(frozen=True, slots=True)
class PersonState:
    """A person on the current frame, and what is believed about them."""

    person: str
    sighting: Sighting
    helmet: Belief
    vest: Belief

    def of(self, equipment: Equipment) -> Belief:
        """Return the belief about one equipment."""
        return self.helmet if equipment == "helmet" else self.vest

    def believed(self) -> Sighting:
        """Return the sighting with the beliefs in place of what this one frame showed."""
        beliefs: dict[Equipment, Belief] = {"helmet": self.helmet, "vest": self.vest}
        findings = {
            equipment: replace(self.sighting.of(equipment), state=belief.state, reason=belief.reason)
            for equipment, belief in beliefs.items()
        }
        return replace(self.sighting, helmet=findings["helmet"], vest=findings["vest"])


@dataclass(frozen=True, slots=True)
class Remembered:
    """A person whom a restart must not forget: where they were and when."""

    person: str
    box: Box
    at: Moment


@dataclass(slots=True)
class _Evidence:
    """What was seen of one equipment on one person, fading."""

    since: Moment
    worn: float = 0.0
    missing: float = 0.0
    state: State = "unknown"
    reason: Reason | None = "no_evidence"
    decisive: Moment | None = None
    began: Moment | None = None
    sightings: int = 0
    unseen_since: Moment | None = None

    def add(self, state: State, reason: Reason | None, weight: float, step: float, at: Moment, pause: float) -> None:
        """Take one sighting that stands for `step` seconds."""
        fade = math.exp(-step / FADE)
        self.worn, self.missing = self.worn * fade, self.missing * fade
        if self.decisive is not None and at.since(self.decisive) > FRESH + pause:
            self.worn = self.missing = 0.0
            self.began, self.sightings = None, 0
        if state == "unknown":
            self.unseen_since = (self.unseen_since or at) if reason == "no_evidence" else None
        else:
            self._decide(state, weight * step, at)
        self._turn(reason, at)

    def _decide(self, state: State, weight: float, at: Moment) -> None:
        self.decisive, self.unseen_since = at, None
        if state == "worn":
            self.worn += weight
            if self.state == "worn":
                self.began, self.sightings = None, 0
        else:
            self.missing += weight
            self.began = self.began or at
            self.sightings += 1

    def _turn(self, reason: Reason | None, at: Moment) -> None:
        total = self.worn + self.missing
        share = self.missing / total if total else 0.0
        before = self.state
        if self.decisive is None or at.since(self.decisive) > FRESH or total < ENOUGH:
            self.state, self.reason = "unknown", reason or "no_evidence"
        elif share >= TURN and self.began is not None:
            self.state, self.reason = "missing", None
        elif share <= 1 - TURN:
            self.state, self.reason = "worn", None
            if before != "worn" and self.missing == 0.0:
                self.began, self.sightings = None, 0
        if self.state != before:
            self.since = self.began if self.state == "missing" and self.began is not None else at

    def belief(self) -> Belief:
        return Belief(
            self.state, self.reason, self.since, self.sightings if self.state == "missing" else 0, self.unseen_since
        )


@dataclass(slots=True)
class _Person:
    person: str
    track: int
    box: Box
    first_seen: Moment
    last_seen: Moment
    evidence: dict[Equipment, _Evidence] = field(default_factory=dict)


class Compliance:
    """Beliefs about everybody in front of one camera. One method advances it."""

    def __init__(self, camera: str, thresholds: Thresholds, *, remember: float = 60.0, pause: float = 2.0) -> None:
        self._camera = camera
        self._floor = dict(zip(range(len(thresholds.per_class_id())), thresholds.per_class_id(), strict=True))
        self._remember = remember
        self._pause = pause
        self._people: list[_Person] = []
        self._last: Moment | None = None
        self._stale: Moment | None = None

    def restore(self, people: Iterable[Remembered]) -> None:
        """Remember people from before a restart, so that who reappears near by is the same person."""
        self._people += [
            _Person(known.person, -1, known.box, known.at, known.at, {e: _Evidence(known.at) for e in EQUIPMENT})
            for known in people
        ]

    def advance(
        self, tracked: Sequence[tuple[int, Sighting]], at: Moment, *, stale: bool = False
    ) -> tuple[PersonState, ...]:
        """Take one frame's tracked people; return everybody on it with what is believed about them.

        Args:
            tracked: (track id, sighting); ids repeat only from frame to frame, never within one.
            at: when the frame was captured.
            stale: the frame says nothing about now (a frozen picture): everything is unknown at once, stale_input.
        """
        step = min(LONGEST_STEP, at.since(self._last)) if self._last is not None else 0.2
        self._last = at
        self._stale = (self._stale or at) if stale else None
        self._people = [known for known in self._people if at.since(known.last_seen) <= self._remember]
        owners = self._owners(tracked, at)
        states = []
        for (track, sighting), known in zip(tracked, owners, strict=True):
            known.track, known.box, known.last_seen = track, sighting.box, at
            for equipment in EQUIPMENT:
                finding = sighting.of(equipment)
                if stale:
                    known.evidence[equipment].add("unknown", "stale_input", 0.0, step, at, self._pause)
                else:
                    weight = self._weight(equipment, finding.state, finding.confidence)
                    known.evidence[equipment].add(finding.state, finding.reason, weight, step, at, self._pause)
            states.append(
                PersonState(
                    known.person,
                    sighting,
                    self._belief(known.evidence["helmet"]),
                    self._belief(known.evidence["vest"]),
                )
            )
        return tuple(states)

    def _belief(self, evidence: _Evidence) -> Belief:
        """Return what is believed now: of a stale frame nothing, though what was seen before it is remembered."""
        return evidence.belief() if self._stale is None else Belief("unknown", "stale_input", self._stale)

    def _weight(self, equipment: Equipment, state: State, confidence: float | None) -> float:
        """Return how much a sighting weighs, 0..1: half at its class's threshold, more above it."""
        if state == "unknown" or confidence is None:
            return 0.0
        floor = self._floor[(WORN_CLASS if state == "worn" else MISSING_CLASS)[equipment]]
        return confidence / (confidence + floor)

    def _owners(self, tracked: Sequence[tuple[int, Sighting]], at: Moment) -> list[_Person]:
        """Return whose sighting each is: the track's person, else somebody lost near by, else somebody new.

        Who is new may turn out to be somebody lost: tracks change hands while people cross, and the old one often ends
        a moment after the new one began. So for their first seconds newcomers can still be claimed.
        """
        by_track = {known.track: known for known in self._people if known.track >= 0}
        present = {track for track, _ in tracked}
        lost = [known for known in self._people if known.track not in present]
        claims = sorted(
            (distance + SLOWER * at.since(known.last_seen), index, number)
            for index, (track, sighting) in enumerate(tracked)
            if track not in by_track or at.since(by_track[track].first_seen) <= NEWCOMER
            for number, known in enumerate(lost)
            if known.first_seen < (by_track[track].first_seen if track in by_track else at)
            if (distance := _distance(known, sighting.box, at)) is not None
        )
        found: dict[int, _Person] = {}
        taken: set[int] = set()
        for _, index, number in claims:
            if index not in found and number not in taken:
                found[index] = lost[number]
                taken.add(number)
        for index in found:
            newcomer = by_track.get(tracked[index][0])
            if newcomer is not None:
                self._people.remove(newcomer)
        return [
            found.get(index) or by_track.get(track) or self._newcomer(track, sighting, at)
            for index, (track, sighting) in enumerate(tracked)
        ]

    def _newcomer(self, track: int, sighting: Sighting, at: Moment) -> _Person:
        name = f"{self._camera}|{at.wall_ms}|{track}|{[round(value) for value in sighting.box]}"
        person = hashlib.sha256(name.encode()).hexdigest()[:12]
        known = _Person(person, track, sighting.box, at, at, {e: _Evidence(at) for e in EQUIPMENT})
        self._people.append(known)
        return known


def _distance(known: _Person, box: Box, at: Moment) -> float | None:
    """Return how far somebody lost is from a new box, in body heights; None when it can't be the same person.

    Who was lost longer may have gone further: from half a height at once to two after some seconds.
    """
    old_height, height = known.box[3] - known.box[1], box[3] - box[1]
    if not 0.6 <= height / old_height <= 1.7:
        return None
    across = (known.box[0] + known.box[2] - box[0] - box[2]) / 2
    down = known.box[3] - box[3]
    distance = math.hypot(across, down) / max(old_height, height)
    return distance if distance <= min(2.0, 0.5 + 0.5 * at.since(known.last_seen)) else None
