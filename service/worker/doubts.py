"""People of whom nobody can tell for long whether they wear what is asked: told once each, never an alert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.safety.equipment import Equipment
from service.safety.moment import Moment
from service.safety.monitor import Observation
from service.safety.rules import demands
from service.safety.site import Scene


@dataclass(frozen=True, slots=True)
class Doubt:
    """A person who could be judged and has been unknown for long.

    Attributes:
        at: when that was long enough to tell.
        since: when it began.
        equipment: what is not known about them, of what is required where they stand.
    """

    person: str
    zone: str
    equipment: tuple[Equipment, ...]
    since: Moment
    at: Moment


class Unverified:
    """Tells once of each person who becomes unverified, and again only after all that is asked of them was known."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._told: set[str] = set()
        self.people: set[str] = set()

    def begun(self, observation: Observation, width: int, height: int) -> Iterator[Doubt]:
        """Yield who became unverified on a frame of this size."""
        if not observation.unverified and not self._told:
            return
        asked = demands(observation.people, self._scene, width, height, observation.at)
        unknown = [demand for demand in asked if demand.standing == "unknown"]
        self._told -= {demand.person for demand in asked} - {demand.person for demand in unknown}
        for person in observation.unverified:
            about = [demand for demand in unknown if demand.person == person]
            if person not in self._told and about:
                self._told.add(person)
                self.people.add(person)
                equipment = tuple(demand.equipment for demand in about)
                since = min((demand.since for demand in about), key=lambda moment: moment.seconds)
                yield Doubt(person, about[0].zone, equipment, since, observation.at)
