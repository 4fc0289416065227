"""What is required of a person where they stand, and whether it is met: people's states become demands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from service.safety.compliance import PersonState
from service.safety.equipment import Equipment
from service.safety.inference import Box
from service.safety.moment import Moment
from service.safety.site import EVERYTHING, WHOLE_PICTURE, Requirement, Scene

Standing = Literal["met", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Demand:
    """One equipment required of one person in one zone now, and whether they meet it.

    Attributes:
        since: when this standing began.
        sightings: frames that said missing since then.
        confirmed: this very frame says what the standing says (a belief outlives frames that contradict it).
        by_absence: violated by the opt-in absence rule, not by a box that says so.
        zone_uncertain: where the person stands was not seen (feet out of the picture); the box's lower edge was taken.
    """

    person: str
    zone: str
    equipment: Equipment
    standing: Standing
    since: Moment
    sightings: int
    box: Box
    confirmed: bool = True
    by_absence: bool = False
    zone_uncertain: bool = False


def demands(people: Iterable[PersonState], scene: Scene, width: int, height: int, at: Moment) -> tuple[Demand, ...]:
    """Return what is required of everybody on a frame of this size, and whether it is met.

    Ignore beats exempt beats the union of requirements; an equipment that several zones require counts for the first.
    """
    return tuple(demand for person in people for demand in _of_person(person, scene, width, height, at))


def _of_person(person: PersonState, scene: Scene, width: int, height: int, at: Moment) -> Iterator[Demand]:
    _, _, uncertain = _foot(person.sighting.box, width, height)
    for zone, requirement in _required(person, scene, width, height, at):
        belief = person.of(requirement.equipment)
        unseen = belief.unseen_since if belief.state == "unknown" else None
        limit = requirement.absent_after
        absent = limit is not None and unseen is not None and at.since(unseen) >= limit
        standing: Standing = "violated" if belief.state == "missing" or absent else "unknown"
        if belief.state == "worn":
            standing = "met"
        yield Demand(
            person.person,
            zone,
            requirement.equipment,
            standing,
            unseen if absent and unseen is not None else belief.since,
            belief.sightings,
            person.sighting.box,
            absent or person.sighting.of(requirement.equipment).state == belief.state,
            absent,
            uncertain,
        )


def _required(person: PersonState, scene: Scene, width: int, height: int, at: Moment) -> list[tuple[str, Requirement]]:
    if not scene.zones:
        return [(WHOLE_PICTURE, requirement) for requirement in EVERYTHING]
    x, y, _ = _foot(person.sighting.box, width, height)
    here = list(scene.at(x, y))
    local = scene.local(at.wall_ms)
    if any(zone.ignore or (zone.exempt and zone.active(local)) for zone in here):
        return []
    first: dict[Equipment, tuple[str, Requirement]] = {}
    for zone in here:
        if zone.active(local):
            for requirement in zone.require:
                first.setdefault(requirement.equipment, (zone.id, requirement))
    return list(first.values())


def _foot(box: Box, width: int, height: int) -> tuple[float, float, bool]:
    """Return where a person stands, relative to the picture, and whether that had to be guessed."""
    x1, _, x2, y2 = box
    x, y = (x1 + x2) / 2 / width, y2 / height
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0), y2 >= 0.995 * height
