"""The best frame so far of everybody who seems to lack something, so that an alert shows its reason at its clearest.

Faces are gone from what is marked and cut out. The clean frame has them: it says what was there, to few.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.pictures.annotate import annotate
from service.pictures.blur import Head, blur
from service.pictures.still import crop, jpeg
from service.ports import Image, Still
from service.safety.alerts import Alert
from service.safety.compliance import PersonState
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.inference import Box
from service.safety.moment import Moment
from service.safety.wearing import Sighting

FORGET = 60.0
"""Seconds after which a frame that no alert asked for is let go."""
MOST = 12
"""At most so many frames are held a camera."""


@dataclass(frozen=True, slots=True)
class _Kept:
    worth: float
    image: Image
    people: tuple[Sighting, ...]
    faces: tuple[Head, ...]
    box: Box
    at: Moment


class BestFrames:
    """Keeps, per person and equipment, the frame that shows best that it is missing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Equipment], _Kept] = {}

    def see(self, image: Image, people: tuple[PersonState, ...], faces: tuple[Head, ...], at: Moment) -> None:
        """Take one frame; it is kept when it shows somebody's missing equipment better than what is kept.

        Args:
            faces: those that are to go.
        """
        everybody = tuple(person.sighting for person in people)
        for person in people:
            for equipment in EQUIPMENT:
                finding = person.sighting.of(equipment)
                key = (person.person, equipment)
                if person.of(equipment).state == "worn":
                    self._kept.pop(key, None)
                elif finding.state == "missing" and finding.confidence is not None:
                    size = min(1.0, person.sighting.source_height / 300)
                    worth = person.sighting.confidence * finding.confidence * size
                    if key not in self._kept or worth > self._kept[key].worth:
                        self._kept[key] = _Kept(worth, image, everybody, faces, person.sighting.box, at)
        self.wait(at)
        while len(self._kept) > MOST:
            del self._kept[min(self._kept, key=lambda key: self._kept[key].worth)]

    def wait(self, now: Moment) -> None:
        """Let time pass, whether or not frames come."""
        self._kept = {key: kept for key, kept in self._kept.items() if now.since(kept.at) <= FORGET}

    def stills(
        self, alert: Alert, image: Image, people: tuple[PersonState, ...], faces: tuple[Head, ...]
    ) -> tuple[Still, ...]:
        """Return an alert's pictures; of the current frame when no better one was kept (the absence rule)."""
        kept = self._kept.get((alert.person, alert.equipment))
        if kept is None:
            everybody = tuple(person.sighting for person in people)
            kept = _Kept(0.0, image, everybody, faces, alert.box, alert.fired)
        shown = blur(kept.image, kept.faces)
        return (
            Still(alert.id, "annotated", jpeg(annotate(shown, kept.people))),
            Still(alert.id, "clean", jpeg(kept.image)),
            Still(alert.id, "crop", jpeg(crop(shown, kept.box))),
        )
