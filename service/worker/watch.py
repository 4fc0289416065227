"""One camera's loop: a frame comes in, what changed is recorded. Everything between is `safety.monitor`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import structlog

from service.cameras.address import SourceError
from service.events import Origin, alert_message, camera_message, cannot_judge_message, sight_message
from service.pictures.still import black_out
from service.ports import (
    OFFLINE,
    CameraState,
    Clock,
    Detector,
    EventStore,
    Frame,
    FrameSource,
    Still,
    StoreUnavailable,
)
from service.safety.alerts import AlertChange
from service.safety.coverage import CannotJudge, blindness
from service.safety.detections import empty
from service.safety.equipment import EQUIPMENT
from service.safety.moment import Moment
from service.safety.monitor import Monitor, OutOfOrder
from service.safety.sight import SightChange
from service.worker.clock import on_this_clock
from service.worker.doubts import Unverified
from service.worker.endings import least_picture, lost
from service.worker.eye import Eye, asked_of
from service.worker.health import Pulse
from service.worker.lookout import Lookout
from service.worker.records import Records
from service.worker.witness import Witness

STALE: Final = 5.0
"""Seconds of age from which a live frame says nothing about now."""
SILENCE: Final = 5.0
"""Seconds without a frame after which the monitor is told that nothing is seen; slow cameras send one every three."""
TICK: Final = 1.0
"""Seconds that one look for a frame takes at most, and between two tellings that nothing is seen."""
TOUCH: Final = 2.0
"""Seconds between two notes of where open alerts were last seen."""

log = structlog.get_logger("watch")


class CameraWatch:
    """Watches one camera until it is told to stop.

    Args:
        origin: which camera of which site.
        open_source: opens the camera.
        committed: is called after each time that the store took something.
        clock: the time that the source's frames are in.
    """

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
        self._monitor = monitor
        self._store = store
        self._clock = clock
        self._records = Records(store, self._camera, committed)
        self._hidden = [zone.polygon for zone in origin.scene.zones if zone.ignore]
        self._witness = Witness()
        self._size = (0, 0)
        self._last_frame = self._last_tick = clock.now()
        self._last_touch: Moment | None = None
        asked = asked_of(origin.scene)
        self._eye = Eye(self._camera, asked, detector, self._last_frame, failed=self._fails)
        self._lookout = Lookout()
        self._told_offline = False
        self._unverified = Unverified(origin.scene)
        self._pulse = Pulse(self._camera, clock)

    def run(
        self,
        stop: threading.Event,
        pulse: Pulse | None = None,
        lookout: Lookout | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Watch until `stop` is set or a recording ends, which ends its open alerts as well.

        Args:
            pulse: is told how the camera does, if somebody wants to know.
            lookout: looks at frames before the detector does; without one, every frame is judged.
            witness: makes evidence of judged frames; by default stills alone, with blurred faces.
        """
        self._witness = witness or self._witness
        self._lookout = lookout or self._lookout
        self._pulse = pulse or self._pulse
        self._restore()
        with ExitStack() as closing:  # the last comes first
            source = self._opened()
            if source is not None:
                closing.callback(self._attempt, source.close)
            closing.callback(self._attempt, lambda: self._touch(self._clock.now(), always=True))
            closing.callback(self._attempt, self._witness.close)
            closing.callback(self._attempt, self._records.close)
            if source is not None:
                self._watch(source, stop)

    def _opened(self) -> FrameSource | None:
        """Open the camera; None when it is a recording that can't be read: trying again would not mend it."""
        try:
            return self._open_source()
        except SourceError as error:
            self._state(CameraState("offline", self._clock.now(), error.code, error.detail))
            self._keep(lost(self._monitor.open_alerts, self._clock.now()))
            return None

    def _watch(self, source: FrameSource, stop: threading.Event) -> None:
        while not stop.is_set():
            happened = source.read(TICK)
            if isinstance(happened, Frame):
                self._frame(happened)
            elif isinstance(happened, CameraState):
                if happened.status == "ended":
                    self._pulse.state(happened)
                    self._keep(lost(self._monitor.open_alerts, happened.at))
                    return
                self._state(happened)
            else:
                self._silence()

    def _attempt(self, closing: Callable[[], None]) -> None:
        """Do one of the last things; a fault in it is logged, and hides neither the others nor what ended the watch."""
        try:
            closing()
        except Exception:
            log.exception("watch.closing", camera=self._camera)

    def _restore(self) -> None:
        now = self._clock.now()
        since_ms = now.wall_ms - round(1000 * self._origin.scene.policy.reopen_within)
        found = self._store.open_alerts(self._camera, lost_since_ms=since_ms)
        # lost sight of later than now: the wall clock was set back, and how long ago it was is not known
        known = [alert for alert in found if alert.ended is None or alert.seen.wall_ms <= now.wall_ms]
        alerts = [on_this_clock(alert, now) for alert in known]
        told = self._store.conditions(self._camera)
        self._monitor.restore(alerts, [one for one in EQUIPMENT if blindness(one, "mostly_unknown") in told])
        self._eye.restore(told)
        self._lookout.restore(told, now)
        self._pulse.restore(told)
        self._pulse.sight(self._lookout.trouble)
        self._told_offline = OFFLINE in told
        self._last_frame = self._last_tick = now
        if alerts:  # until a frame says it
            self._size = least_picture(alerts)

    def _frame(self, frame: Frame) -> None:
        self._pulse.metrics.read(frame.number)
        self._records.save()
        self._witness.wait(frame.at)
        self._pulse.wait()
        image = black_out(frame.image, self._hidden)
        prospect = self._lookout.take(image, self._hidden, frame.at, occupied=bool(self._monitor.open_alerts))
        self._tell(prospect.news)
        if prospect.verdict == "skip":
            self._pulse.metrics.skipped("busy")
            return
        if prospect.verdict == "stale":
            self._stale(frame)
            return
        if prospect.verdict == "pass":
            self._last_frame = self._last_tick = frame.at
            self._pulse.judged(frame, 0, self._clock, unseen="still")
            return
        self._pulse.asks()
        detections, news = self._eye.look(image, self._clock.now())
        if not self._eye.stuck:
            self._pulse.answered()
        self._keep(cannot_judge=news)
        if detections is None:
            self._pulse.metrics.skipped("detector")
            self._silence()
            return
        stale = self._clock.now().seconds - frame.at.seconds > STALE
        try:
            observation = self._monitor.observe(detections, frame.at, stale=stale)
        except OutOfOrder as late:  # it came when silence had been told already
            log.info("frame.refused", camera=self._camera, why=str(late))
            self._pulse.metrics.skipped("late")
            return
        self._last_frame = self._last_tick = frame.at
        if not stale:
            self._lookout.judged(detections, len(observation.people), frame.at)
        self._pulse.judged(frame, len(observation.people), self._clock)
        self._pulse.shows(self._witness.view(image, detections, observation))
        self._size = detections.width, detections.height
        for doubt in self._unverified.begun(observation, *self._size):
            who, since_ms = {"person": doubt.person, "zone": doubt.zone}, doubt.since.wall_ms
            log.info("person.unverified", camera=self._camera, **who, equipment=doubt.equipment, since_ms=since_ms)
        stills = self._witness.see(image, detections, observation)
        self._keep(observation.alerts, observation.cannot_judge, stills)
        if not stale:  # whoever plays it again does not know how late it was
            self._store.remember(self._camera, frame.at, detections)
        heights = [person.sighting.height for person in observation.people]
        self._store.count(self._camera, frame.at, observation.person_seconds, heights)
        self._touch(frame.at)

    def _fails(self) -> None:
        self._pulse.metrics.failed()

    def _stale(self, frame: Frame) -> None:
        """Take a frame of a camera that does not see: who is on it is unknown, and time goes on for open alerts."""
        self._pulse.metrics.skipped("unseeing")
        shown = self._lookout.stale(frame.image.shape[1], frame.image.shape[0])
        try:
            observation = self._monitor.observe(shown, frame.at, stale=True)
        except OutOfOrder:
            return
        self._last_frame = self._last_tick = frame.at
        self._keep(observation.alerts, observation.cannot_judge)
        self._store.count(self._camera, frame.at, observation.person_seconds, [])

    def _silence(self) -> None:
        """Let time pass for open alerts while no frame is judged: what is not seen is unknown, not gone."""
        self._records.save()
        now = self._clock.now()
        self._witness.wait(now)
        self._pulse.wait()
        if not all(self._size) or now.since(self._last_frame) < SILENCE or now.since(self._last_tick) < TICK:
            return
        self._last_tick = now
        observation = self._monitor.observe(empty(*self._size), now, stale=True)
        self._keep(observation.alerts, observation.cannot_judge)

    def _keep(
        self,
        alerts: Sequence[AlertChange] = (),
        cannot_judge: Sequence[CannotJudge] = (),
        stills: Sequence[Still] = (),
    ) -> None:
        if not alerts and not cannot_judge:
            return
        self._pulse.cannot_judge(cannot_judge)
        self._pulse.metrics.changed(alerts)
        messages = [alert_message(change, self._origin, *self._size) for change in alerts]
        messages += [cannot_judge_message(change, self._origin) for change in cannot_judge]
        for change in alerts:
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
        fired = [change.alert.id for change in alerts if change.kind == "fired"]
        self._records.keep(alerts, stills, messages, fired if self._witness.makes_clips else ())

    def _tell(self, news: Sequence[SightChange]) -> None:
        """Tell that the camera does not see, shows another place, or does no more."""
        for change in news:
            log.info(
                f"camera.{change.trouble}", camera=self._camera, begins=change.begins, since_ms=change.since.wall_ms
            )
            self._pulse.sight(self._lookout.trouble)
            self._records.keep(messages=[sight_message(change, self._origin)])

    def _state(self, state: CameraState) -> None:
        """Tell of a camera that was lost or is back: once each, and nothing of one that comes up for the first time."""
        log.info(f"camera.{state.status}", camera=self._camera, code=state.code, detail=state.detail)
        self._pulse.state(state)
        lost = state.status == "offline"
        if lost == self._told_offline or state.status not in ("offline", "live"):
            return
        self._told_offline = lost
        self._records.keep(messages=[camera_message(state, self._origin)])

    def _touch(self, at: Moment, *, always: bool = False) -> None:
        if always or self._last_touch is None or at.since(self._last_touch) >= TOUCH:
            self._last_touch = at
            alerts = self._monitor.open_alerts
            if alerts:
                try:
                    self._store.touch(alerts)
                except StoreUnavailable as error:  # the next touch tells more than this one
                    log.warning("store.unavailable", camera=self._camera, fault=str(error))
