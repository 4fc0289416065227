"""How cameras do, as their watches say it: played lives, on clocks that are held."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from service.health import CameraHealth, View
from service.ports import CameraState, Frame
from service.safety.coverage import CannotJudge, blindness
from service.safety.detections import empty
from service.safety.moment import Moment
from service.store.fake import FakeStore
from service.worker.clips import Clips
from service.worker.film_writer import FilmWriter
from service.worker.health import VIEW_KEPT, Health, Pulse
from service.worker.supervisor import Supervisor
from service.worker.witness import Witness
from tests.store.made import HeldClock
from tests.worker.plays import CameraClock, Line, Play, grey
from tests.worker.test_watch import bare


class Seconds:
    """A monotonic clock that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_implements_the_port_and_knows_nothing_yet() -> None:
    health: CameraHealth = Health(["gate", "dock"], HeldClock(5000))
    gate, dock = health.reports()
    assert (gate.camera, dock.camera) == ("gate", "dock")
    assert gate.state == CameraState("connecting", Moment(5.0, 5000))
    assert (gate.frame_age, gate.rate, gate.people, gate.blind) == (None, 0.0, None, ())


def test_rate_and_age_follow_the_frames() -> None:
    seconds, clock = Seconds(), HeldClock(50_000)
    pulse = Pulse("gate", clock, seconds)
    for number in range(100):  # five a second, half a second late
        seconds.now = 100.0 + number / 5
        clock.wall_ms = 50_000 + number * 200
        pulse.judged(Frame(grey(0), Moment(clock.now().seconds - 0.5, 0), number), number % 4, clock)
    report = pulse.report()
    assert report.rate == pytest.approx(5.0, abs=0.11)
    assert report.frame_age == pytest.approx(0.5)
    assert report.people == 3
    seconds.now += 7.0
    assert pulse.report().frame_age == pytest.approx(7.5)
    assert pulse.report().rate == pytest.approx(1.5, abs=0.11)
    seconds.now += 60.0
    assert pulse.report().rate == 0.0


def test_a_camera_that_began_a_moment_ago_has_its_rate_already() -> None:
    seconds, clock = Seconds(), HeldClock(50_000)
    pulse = Pulse("gate", clock, seconds)
    for number in range(11):
        seconds.now = 100.0 + number / 5
        pulse.judged(Frame(grey(0), clock.now(), number), 0, clock)
    assert pulse.report().rate == pytest.approx(5.5)


def test_what_can_t_be_judged_begins_ends_and_is_restored() -> None:
    at = Moment(1.0, 1000)
    pulse = Pulse("gate", HeldClock(0))
    pulse.restore([blindness("vest", "mostly_unknown"), "offline"])
    assert pulse.report().blind == (("vest", "mostly_unknown"),)
    pulse.cannot_judge([CannotJudge("gate", "helmet", True, 1.0, 0.0, at, "detector_failed")])
    pulse.cannot_judge([CannotJudge("gate", "vest", False, 0.1, 100.0, at)])
    assert pulse.report().blind == (("helmet", "detector_failed"),)


def test_a_watch_says_how_its_camera_does() -> None:
    play = Play(bare, FakeStore())
    pulse = Pulse("gate", play.clock, lambda: play.clock.film)
    play.pulse = pulse
    source = play.source([play.state("live", 0.0)], play.frames(0.0, 4.0), [play.state("offline", 4.0, "STREAM_LOST")])
    play.watch(lambda: source, source.stop)
    assert (pulse.report().state.status, pulse.report().people) == ("offline", 1)
    assert pulse.report().state.code == "STREAM_LOST"


def test_of_a_camera_that_is_lost_no_picture_is_held_after_a_minute() -> None:
    """Neither the last one that was judged, nor the best of somebody, nor the seconds before a clip."""
    clips = Clips("gate", FilmWriter(FakeStore(), HeldClock(0)))
    play = Play(bare, FakeStore())
    play.pulse = pulse = Pulse("gate", play.clock, lambda: play.clock.film)
    play.witness = Witness(clips)
    told, held = [], []

    def look() -> Iterator[Line]:
        yield from play.frames(0.0, 1.4)  # nothing has fired
        held.extend(weakref.ref(image) for image in play.seen)
        play.seen.clear()
        yield play.state("offline", 1.4, "STREAM_LOST")
        assert clips._ring.size
        yield from [None] * 50
        assert not clips._ring.size
        told.append((pulse.view is not None, any(one() is not None for one in held)))
        yield from [None] * 12
        told.append((pulse._view is not None, any(one() is not None for one in held)))

    with capture_logs():
        play.run(look())
    assert told == [(True, True), (False, False)]


def test_a_camera_that_stands_still_keeps_its_picture_for_as_long_as_it_is_judged() -> None:
    seconds, clock = Seconds(), HeldClock(100_000)
    pulse = Pulse("gate", clock, seconds)
    frame = Frame(grey(0), clock.now(), 1)
    pulse.judged(frame, 0, clock)
    pulse.shows(View(frame.image, (), empty(8, 8), blurred=True))
    for _ in range(200):
        seconds.now += 0.6
        clock.sleep(0.6)
        pulse.judged(Frame(grey(0), clock.now(), 2), 0, clock, unseen="still")
    assert pulse.view is not None
    seconds.now += VIEW_KEPT + 1
    assert pulse.view is None


def test_a_recording_that_ended_says_so() -> None:
    play = Play(bare, FakeStore())
    play.pulse = Pulse("gate", play.clock)
    source = play.source([play.state("live", 0.0)], play.frames(0.0, 1.0), [play.state("ended", 1.0)])
    play.watch(lambda: source, source.stop)
    assert play.pulse.report().state.status == "ended"


def test_a_detector_that_fails_is_what_can_t_be_judged() -> None:
    play = Play(bare, FakeStore(), broken=lambda film: film > 2.0)
    play.pulse = Pulse("gate", play.clock)
    source = play.source([play.state("live", 0.0)], play.frames(0.0, 12.0))
    with capture_logs():
        play.watch(lambda: source, source.stop)
    assert play.pulse.report().blind == (("helmet", "detector_failed"), ("vest", "detector_failed"))


def test_a_camera_that_does_not_see_is_no_live_one_and_a_lost_one_is_offline() -> None:
    pulse = Pulse("gate", HeldClock(0))
    pulse.sight(("blind", Moment(4.0, 4000)))
    assert pulse.report().state.status == "connecting"
    pulse.state(CameraState("live", Moment(1.0, 1000)))
    assert pulse.report().state == CameraState(
        "blind", Moment(4.0, 4000), detail="The pictures are black, of one colour or covered; nothing is judged."
    )
    pulse.state(CameraState("offline", Moment(5.0, 5000), "STREAM_LOST"))
    assert pulse.report().state.status == "offline"
    pulse.state(CameraState("live", Moment(6.0, 6000)))
    pulse.sight(None)
    assert pulse.report().state == CameraState("live", Moment(6.0, 6000))


def test_a_detector_that_does_not_answer_is_seen_while_it_is_asked() -> None:
    seconds = Seconds()
    pulse = Pulse("gate", HeldClock(0), seconds)
    assert pulse.report().unanswered is None
    pulse.asks()
    seconds.now += 30.0
    pulse.asks()
    assert pulse.report().unanswered == 30.0
    pulse.answered()
    assert pulse.report().unanswered is None


def test_a_watch_that_died_is_offline_until_its_camera_says_otherwise() -> None:
    health = Health(["gate"], CameraClock())
    lives = iter([True, False])
    seen = []

    def watch(stop: threading.Event) -> None:
        seen.append(health.reports()[0].state.status)
        if next(lives):
            raise RuntimeError("a fault")

    supervisor = Supervisor({"gate": watch}, died=health.died, pause=lambda _, __: None)
    with capture_logs():
        supervisor.start()
        assert supervisor.wait(20)
    assert seen == ["connecting", "offline"]
    assert health.reports()[0].state.detail.startswith("The watch of this camera failed")
