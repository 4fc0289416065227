"""What would change if a camera were judged by another scene: the same detections under two of them, side by side.

Pure, as everything here: a command and a screen that edits zones ask the same function. What was never detected can't
be judged again: what the first scene ignored was black, and tiles and frames a second are those of the recording.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from service.safety.alerts import Alert
from service.safety.detections import Detections
from service.safety.equipment import Equipment, State
from service.safety.moment import Moment
from service.safety.monitor import Monitor, Tracker
from service.safety.site import Scene
from service.safety.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Run:
    """What one scene makes of the detections.

    Attributes:
        alerts: those that fired, in the order in which they did, each as it stands at the end.
        person_seconds: by equipment and state, of those of whom something is asked.
    """

    alerts: tuple[Alert, ...]
    person_seconds: dict[tuple[Equipment, State], float]

    def share(self, equipment: Equipment) -> float | None:
        """Return the coverage of an equipment: judged of all person-seconds; None when it was asked of nobody."""
        worn, missing, unknown = (self.seconds(equipment, state) for state in ("worn", "missing", "unknown"))
        total = worn + missing + unknown
        return (worn + missing) / total if total else None

    def seconds(self, equipment: Equipment, state: State) -> float:
        """Return the person-seconds of one equipment and state."""
        return self.person_seconds.get((equipment, state), 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two scenes on the same detections.

    Attributes:
        frames: how many were judged.
        began, ended: the first and the last of them; None when there was none.
        both: alerts about the same violation, as before and after; zone, beginning and duration may differ.
        only_before, only_after: alerts about what the other scene raises none for.
    """

    frames: int
    began: Moment | None
    ended: Moment | None
    before: Run
    after: Run
    both: tuple[tuple[Alert, Alert], ...]
    only_before: tuple[Alert, ...]
    only_after: tuple[Alert, ...]


def compared(
    frames: Iterable[tuple[Detections, Moment]],
    before: Scene,
    after: Scene,
    thresholds: Thresholds,
    tracker: Callable[[], Tracker],
) -> Comparison:
    """Judge the same detections by two scenes of one camera.

    Args:
        frames: what was detected, oldest first, each later than the last (`recording.continued`).
        before, after: the scenes; `camera` must be the same, since ids of people and alerts depend on it.
        thresholds: of the model that saw the frames.
        tracker: opens a tracker for each of the two.

    Raises:
        ValueError: the scenes are of two cameras.
        OutOfOrder: a frame is not newer than the one before it.
    """
    if before.camera != after.camera:
        raise ValueError(f"scenes of two cameras, {before.camera} and {after.camera}, can't be compared")
    one, other = (_Judging(Monitor(scene, thresholds, tracker())) for scene in (before, after))
    count, began, ended = 0, None, None
    for detections, at in frames:
        one.take(detections, at)
        other.take(detections, at)
        count, began, ended = count + 1, began or at, at
    was, would_be = one.run(), other.run()
    both = tuple(_pairs(was.alerts, would_be.alerts))
    known, fresh = {id(left) for left, _ in both}, {id(right) for _, right in both}
    return Comparison(
        count,
        began,
        ended,
        was,
        would_be,
        both,
        tuple(alert for alert in was.alerts if id(alert) not in known),
        tuple(alert for alert in would_be.alerts if id(alert) not in fresh),
    )


def last(alert: Alert) -> Moment:
    """Return the last moment of an alert: when it was seen put right, else when the violation was last seen."""
    return alert.ended if alert.ended is not None and alert.ending == "worn" else alert.seen


def lasted(alert: Alert) -> float:
    """Return the seconds from a violation's beginning to its last moment."""
    return last(alert).since(alert.since)


class _Judging:
    """One monitor, and what came of it."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._alerts: dict[str, Alert] = {}
        self._seconds: dict[tuple[Equipment, State], float] = defaultdict(float)

    def take(self, detections: Detections, at: Moment) -> None:
        observation = self._monitor.observe(detections, at)
        self._alerts.update({change.alert.id: change.alert for change in observation.alerts})
        for (_, equipment, state), seconds in observation.person_seconds.items():
            self._seconds[equipment, state] += seconds

    def run(self) -> Run:
        still_open = {alert.id: alert for alert in self._monitor.open_alerts}
        return Run(tuple({**self._alerts, **still_open}.values()), dict(self._seconds))


def _pairs(before: Iterable[Alert], after: Iterable[Alert]) -> Iterator[tuple[Alert, Alert]]:
    """Pair alerts about one violation: the same person and equipment at the same time; each has one partner at most."""
    free = list(after)
    for alert in before:
        partner = max(
            (one for one in free if _is_of(alert, one)),
            key=lambda one: (_common(alert, one), one.zone == alert.zone),
            default=None,
        )
        if partner is not None:
            free.remove(partner)
            yield alert, partner


def _is_of(one: Alert, other: Alert) -> bool:
    return (one.person, one.equipment) == (other.person, other.equipment) and _common(one, other) >= 0


def _common(one: Alert, other: Alert) -> float:
    """Return how many seconds two alerts have in common; below zero when they do not meet."""
    ends = min(last(one).seconds, last(other).seconds)
    return ends - max(one.since.seconds, other.since.seconds)
