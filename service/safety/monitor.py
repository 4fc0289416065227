"""Read this first: one camera, from the boxes of a frame to what changed.

    Detections -> Sightings -> tracked people -> PersonStates -> Demands -> AlertChanges

Three objects remember something: the tracker, `Compliance` and the `AlertBook` (and `Coverage` counts). Each has one
method that advances it, and no thread, clock or logger: time arrives with the frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from service.safety.alerts import Alert, AlertBook, AlertChange
from service.safety.compliance import Compliance, PersonState, Remembered
from service.safety.coverage import CannotJudge, Coverage, PersonSeconds
from service.safety.detections import Detections
from service.safety.equipment import Equipment
from service.safety.moment import Moment
from service.safety.rules import Demand, demands
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from service.safety.wearing import sightings

SHORTEST_MEMORY: Final = 10.0
"""Seconds that a person who is not seen is remembered at least, whatever the policy: occlusions last that long."""


class Tracker(Protocol):
    """Gives people identities from frame to frame."""

    def advance(self, boxes: NDArray[np.float64], confidence: NDArray[np.float64], seconds: float) -> NDArray[np.int64]:
        """Return one id a box, -1 for none yet.

        Args:
            boxes: (n, 4) corners in pixels.
            confidence: (n,) 0..1.
            seconds: the frame's monotonic time; never smaller than the last.
        """
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """What one frame told.

    Attributes:
        people: everybody tracked on it, with what is believed about them.
        alerts: what changed in the alert book.
        cannot_judge: whether the camera began or ceased to be unable to judge.
        person_seconds: what this frame adds to the statistics.
        unverified: people who could be judged and have been unknown for long.
    """

    at: Moment
    people: tuple[PersonState, ...]
    alerts: tuple[AlertChange, ...]
    cannot_judge: tuple[CannotJudge, ...]
    person_seconds: PersonSeconds
    unverified: tuple[str, ...]


class OutOfOrder(ValueError):  # noqa: N818 - it reads as what happened
    """A frame is not newer than the last one; it was refused and changed nothing."""


class Monitor:
    """Watches one camera. `observe` takes the next frame's detections and returns what changed."""

    def __init__(self, scene: Scene, thresholds: Thresholds, tracker: Tracker) -> None:
        self._scene = scene
        self._thresholds = thresholds
        self._tracker = tracker
        policy = scene.policy
        remember = max(policy.reopen_within, policy.lost_after, SHORTEST_MEMORY)
        self._compliance = Compliance(scene.camera, thresholds, remember=remember, pause=policy.pause)
        self._book = AlertBook(scene.camera, policy)
        self._coverage = Coverage(scene.camera)
        self._last: Moment | None = None

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are open now."""
        return self._book.open

    def restore(self, alerts: Iterable[Alert], blind: Iterable[Equipment] = ()) -> None:
        """Take over what was before a restart.

        Args:
            alerts: open ones and those that ended as lost_sight a moment ago, on this run's clock.
            blind: what the camera could not judge.
        """
        self._coverage.restore(blind)
        alerts = tuple(alerts)
        latest: dict[str, Alert] = {}
        for alert in sorted(alerts, key=lambda alert: alert.seen):
            latest[alert.person] = alert
        self._compliance.restore(Remembered(alert.person, alert.box, alert.seen) for alert in latest.values())
        self._book.restore(alerts)

    def observe(self, detections: Detections, at: Moment, *, stale: bool = False) -> Observation:
        """Take one frame.

        Args:
            detections: what the detector saw on it.
            at: when it was captured.
            stale: it says nothing about now (frozen picture, too old): nobody's state is believed from it.

        Raises:
            OutOfOrder: it is not newer than the last frame.
        """
        if self._last is not None and at.seconds <= self._last.seconds:
            raise OutOfOrder(f"frame at {at.seconds:.3f} s after one at {self._last.seconds:.3f} s")
        self._last = at
        seen = sightings(detections, self._thresholds)
        boxes = np.array([sighting.box for sighting in seen], dtype=np.float64).reshape(-1, 4)
        confidence = np.array([sighting.confidence for sighting in seen], dtype=np.float64)
        tracks = self._tracker.advance(boxes, confidence, at.seconds)
        tracked = [(int(track), sighting) for track, sighting in zip(tracks, seen, strict=True) if track >= 0]
        people = self._compliance.advance(tracked, at, stale=stale)
        asked = demands(people, self._scene, detections.width, detections.height, at)
        alerts = self._book.advance(asked, at)
        person_seconds, cannot_judge = self._coverage.advance(asked, at)
        heights = {person.person: person.sighting.height for person in people}
        unverified = {demand.person for demand in asked if self._unverified(demand, heights[demand.person], at)}
        return Observation(at, people, alerts, cannot_judge, person_seconds, tuple(sorted(unverified)))

    def _unverified(self, demand: Demand, height: float, at: Moment) -> bool:
        """Tell whether a person large enough to be judged has been unknown for long."""
        long = at.since(demand.since) >= self._scene.policy.unverified_after
        return demand.standing == "unknown" and long and height >= self._thresholds.minimum_height[demand.equipment]
