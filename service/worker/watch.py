"""One camera's loop: a frame comes in, what changed is recorded. Everything between is `safety.monitor`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from service.events import Origin, alert_message, camera_message, cannot_judge_message
from service.pictures.still import black_out
from service.ports import (
    CameraState,
    Clock,
    Detector,
    EventStore,
    Frame,
    FrameSource,
    Message,
    Still,
    StoreUnavailable,
)
from service.safety.alerts import AlertChange
from service.safety.detections import Detections, empty
from service.safety.moment import Moment
from service.safety.monitor import Monitor, Observation
from service.worker.clock import on_this_clock
from service.worker.evidence import BestFrames

STALE: Final = 5.0
"""Seconds of age from which a live frame says nothing about now."""
SILENCE: Final = 1.0
"""Seconds without a frame after which the monitor is told that nothing is seen."""
MOST_UNSAVED: Final = 500
"""Records that wait in memory while the store can't take them; then the oldest is given up."""
TOUCH: Final = 2.0
"""Seconds between two notes of where open alerts were last seen."""

log = structlog.get_logger("watch")


@dataclass(frozen=True, slots=True)
class Watched:
    """One judged frame."""

    frame: Frame
    detections: Detections
    observation: Observation


def watched(source: FrameSource, detector: Detector, monitor: Monitor, origin: Origin) -> Iterator[Watched]:
    """Judge a recorded source to its end, in its own time: the same input gives the same observations.

    Raises:
        EndedEarly: it broke off; what was judged until then has been handed out.
    """
    hidden = [zone.polygon for zone in origin.scene.zones if zone.ignore]
    while True:
        happened = source.read(1.0)
        if isinstance(happened, Frame):
            detections = detector.detect(black_out(happened.image, hidden))
            yield Watched(happened, detections, monitor.observe(detections, happened.at))
        elif isinstance(happened, CameraState):
            if happened.status == "ended":
                return
            if happened.status == "offline":
                raise EndedEarly(happened.detail or happened.code or "the recording broke off")


class EndedEarly(Exception):  # noqa: N818 - it reads as what happened
    """A recording broke off before its end."""


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """One call of the store: kept in memory until it was committed."""

    changes: tuple[AlertChange, ...]
    stills: tuple[Still, ...]
    messages: tuple[Message, ...]


class CameraWatch:
    """Watches one live camera until it is told to stop."""

    def __init__(
        self,
        origin: Origin,
        open_source: Callable[[], FrameSource],
        detector: Detector,
        monitor: Monitor,
        store: EventStore,
        clock: Clock,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._origin = origin
        self._camera = origin.scene.camera
        self._open_source = open_source
        self._detector = detector
        self._monitor = monitor
        self._store = store
        self._clock = clock
        self._committed = committed
        self._hidden = [zone.polygon for zone in origin.scene.zones if zone.ignore]
        self._best = BestFrames()
        self._last_frame: Frame | None = None
        self._last_tick: Moment | None = None
        self._last_touch: Moment | None = None
        self._told_offline = False
        self._unsaved: deque[_Unsaved] = deque(maxlen=MOST_UNSAVED)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set or a recording ends."""
        now = self._clock.now()
        self._monitor.restore(on_this_clock(alert, now) for alert in self._store.open_alerts(self._camera))
        source = self._open_source()
        try:
            while not stop.is_set():
                happened = source.read(SILENCE)
                if isinstance(happened, Frame):
                    self._frame(happened)
                elif isinstance(happened, CameraState):
                    if happened.status == "ended":
                        return
                    self._state(happened)
                else:
                    self._silence()
        finally:
            source.close()
            self._touch(self._clock.now(), always=True)

    def _frame(self, frame: Frame) -> None:
        image = black_out(frame.image, self._hidden)
        detections = self._detector.detect(image)
        stale = self._clock.now().seconds - frame.at.seconds > STALE
        observation = self._monitor.observe(detections, frame.at, stale=stale)
        self._last_frame, self._last_tick = frame, frame.at
        self._save()
        self._best.see(image, observation.people, frame.at)
        self._record(observation, frame, detections)
        self._store.remember(self._camera, frame.at, detections)
        heights = [person.sighting.height for person in observation.people]
        self._store.count(self._camera, frame.at, observation.person_seconds, heights)
        self._touch(frame.at)

    def _silence(self) -> None:
        """Let time pass for open alerts while no frame comes: what is not seen is unknown, not gone."""
        now = self._clock.now()
        if self._last_frame is None or (self._last_tick is not None and now.since(self._last_tick) < SILENCE):
            return
        height, width = self._last_frame.image.shape[:2]
        nothing = empty(width, height)
        observation = self._monitor.observe(nothing, now, stale=True)
        self._last_tick = now
        self._record(observation, self._last_frame, nothing)

    def _record(self, observation: Observation, frame: Frame, detections: Detections) -> None:
        if not observation.alerts and not observation.cannot_judge:
            return
        stills = [
            still
            for change in observation.alerts
            if change.kind == "fired"
            for still in self._best.stills(change.alert, frame.image, observation.people)
        ]
        size = detections.width, detections.height
        messages: list[Message] = [alert_message(change, self._origin, *size) for change in observation.alerts]
        messages += [cannot_judge_message(change, self._origin) for change in observation.cannot_judge]
        self._keep(_Unsaved(observation.alerts, tuple(stills), tuple(messages)))
        for change in observation.alerts:
            alert = change.alert
            log.info(
                f"alert.{change.kind}",
                camera=self._camera,
                alert=alert.id,
                person=alert.person,
                zone=alert.zone,
                equipment=alert.equipment,
                since_ms=alert.since.wall_ms,
            )

    def _state(self, state: CameraState) -> None:
        """Tell of a camera that was lost or is back: once each, and nothing of one that comes up for the first time."""
        log.info(f"camera.{state.status}", camera=self._camera, code=state.code, detail=state.detail)
        lost = state.status == "offline"
        if lost == self._told_offline or state.status not in ("offline", "live"):
            return
        self._told_offline = lost
        self._keep(_Unsaved((), (), (camera_message(state, self._origin),)))

    def _keep(self, record: _Unsaved) -> None:
        self._unsaved.append(record)
        self._save()

    def _save(self) -> None:
        """Record what is not recorded yet, oldest first; a store that can't now is asked again with the next frame."""
        while self._unsaved:
            oldest = self._unsaved[0]
            try:
                self._store.record(oldest.changes, oldest.stills, oldest.messages)
            except StoreUnavailable as error:
                log.error("store.unavailable", camera=self._camera, waiting=len(self._unsaved), fault=str(error))
                return
            self._unsaved.popleft()
            self._committed()

    def _touch(self, at: Moment, *, always: bool = False) -> None:
        if always or self._last_touch is None or at.since(self._last_touch) >= TOUCH:
            self._last_touch = at
            alerts = self._monitor.open_alerts
            if alerts:
                try:
                    self._store.touch(alerts)
                except StoreUnavailable as error:  # the next touch tells more than this one
                    log.warning("store.unavailable", camera=self._camera, fault=str(error))
