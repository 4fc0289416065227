"""Before the detector looks at a frame: whether its camera sees, and whether anything moved since it looked last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from service.pictures.glance import glance, hidden_cells
from service.pictures.still import Polygon
from service.ports import Image
from service.safety.detections import Detections, empty
from service.safety.equipment import PERSON
from service.safety.moment import Moment
from service.safety.motion import MotionGate
from service.safety.sight import Sight, SightChange, Trouble
from service.safety.view import Glance, Mask
from service.worker.governor import Seat

HINT: Final = 0.15
"""Confidence from which a box may be a person, for the gate: well under what counts as one."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is to be done with a frame.

    Attributes:
        verdict: judge it; pass it over, for it is as the last judged one and nobody is there; take it for stale, since
            the camera does not see; or skip it, for it is not the camera's turn.
        news: what began or is over with the camera's sight.
    """

    verdict: Literal["judge", "pass", "stale", "skip"]
    news: tuple[SightChange, ...] = ()


class Lookout:
    """Looks at one camera's frames before the detector does; without sight and gate, every frame is judged.

    Args:
        sight: knows whether the camera sees; None for recordings, whose pictures may stand still.
        gate: knows which frames need the detector; None judges all.
        seat: knows whose turn it is while the detector can't keep up; None takes every frame.
    """

    def __init__(self, sight: Sight | None = None, gate: MotionGate | None = None, seat: Seat | None = None) -> None:
        self._seat = seat
        self._sight = sight
        self._gate = gate
        self._glance: Glance | None = None
        self._hidden: tuple[tuple[int, int], Mask | None] = ((0, 0), None)
        self._shown: Detections | None = None

    def restore(self, told: Collection[str], at: Moment) -> None:
        """Take over the conditions that were told before a restart."""
        if self._sight:
            self._sight.restore(told, at)

    @property
    def trouble(self) -> tuple[Trouble, Moment] | None:
        """What is wrong with the camera's sight and since when; None when it sees."""
        return self._sight.trouble if self._sight else None

    def take(self, image: Image, hidden: Sequence[Polygon], at: Moment, *, occupied: bool) -> Prospect:
        """Take the next frame.

        Args:
            image: its picture, black where `hidden` says.
            hidden: what zones ignore.
            at: when it was captured.
            occupied: there are open alerts, or people.
        """
        if self._seat and not self._seat.takes(at.seconds):
            return Prospect("skip")
        if not self._sight and not self._gate:
            return Prospect("judge")
        self._glance = glance(image, self._mask(image, hidden))
        news = self._sight.look(self._glance, at) if self._sight else ()
        if self._sight and self._sight.stale:
            return Prospect("stale", news)
        needed = self._gate is None or self._gate.needs(self._glance, at, occupied=occupied)
        return Prospect("judge" if needed else "pass", news)

    def judged(self, detections: Detections, people: int, at: Moment) -> None:
        """Take what was seen on the frame that was taken last, and how many people are followed on it."""
        self._shown = detections
        if self._gate and self._glance:
            hints = detections.of(PERSON) & (detections.confidence >= HINT)
            self._gate.judged(self._glance, at, somebody=people > 0 or bool(hints.any()))

    def stale(self, width: int, height: int) -> Detections:
        """Return what a stale frame of this size shows: whom the last judged one did, until it is told; then nobody.

        So people on a picture that stands still are unknown, and none of them is counted for as long as it does.
        """
        shown = self._shown
        if shown is None or self.trouble or (shown.width, shown.height) != (width, height):
            return empty(width, height)
        return shown

    def _mask(self, image: Image, hidden: Sequence[Polygon]) -> Mask | None:
        size = image.shape[1], image.shape[0]
        if self._hidden[0] != size:
            self._hidden = size, hidden_cells(*size, hidden)
        return self._hidden[1]
