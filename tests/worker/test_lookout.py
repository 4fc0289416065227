"""One camera's loop when the camera does not see, and with the motion gate: what is told, fired and judged."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.events import Origin
from service.ports import Frame, Image
from service.safety.detections import Detections
from service.safety.monitor import Monitor
from service.safety.motion import MotionGate
from service.safety.sight import Sight
from service.worker.health import Pulse
from service.worker.lookout import Lookout
from service.worker.watch import CameraWatch
from tests.safety.films import START_MS, Look, NearestTracker, worker
from tests.safety.pictures import noisy, plain, seen, yard
from tests.safety.scenes import Row, scene
from tests.store.made import HeldClock
from tests.worker.plays import CameraClock, Play
from tests.worker.stores import Noting

PLACE = yard()
HERE = seen(PLACE)
HEIGHT, WIDTH = HERE.shape[:2]
Shown = Callable[[float, int], Image]


def alive(film: float, number: int) -> Image:
    return noisy(HERE, 2, number)


def bare(_: float) -> list[Row]:
    return worker(helmet="no-helmet")


class Camera(Play):
    """A live camera with pictures of its own, looked at by a lookout before the detector is."""

    shown: Shown = staticmethod(alive)
    lookout: Callable[[], Lookout] = staticmethod(lambda: Lookout(Sight(), MotionGate()))

    def frames(self, start: float, end: float) -> Iterator[Frame]:
        for number in range(round(start * self.fps), round(end * self.fps)):
            film = number / self.fps
            yield Frame(self.shown(film, number), self.clock.moment(film), number + 1)

    def see(self, image: Image) -> Detections:
        self.tries.append(self.clock.film)
        return scene(*self.look(self.clock.film), width=WIDTH, height=HEIGHT)

    def watch(self, opened: object, stop: threading.Event | None = None, detector: FakeDetector | None = None) -> None:
        detector = FakeDetector(self.see)
        monitor = Monitor(self.scene, detector.model.thresholds, NearestTracker())
        origin = Origin(self.scene, "Gate 2", "Plant 4")
        try:
            watch = CameraWatch(origin, opened, detector, monitor, self.store, self.clock)  # type: ignore[arg-type]
            watch.run(stop or threading.Event(), self.pulse, self.lookout())
        finally:
            detector.close()


def camera(look: Look, shown: Shown = alive, lookout: Callable[[], Lookout] | None = None) -> tuple[Camera, Noting]:
    store = Noting()
    made = Camera(look, store)
    made.shown = shown
    made.lookout = lookout or (lambda: Lookout(Sight(), MotionGate()))
    made.pulse = Pulse("gate", made.clock)
    return made, store


def live(made: Camera, end: float) -> None:
    made.run([made.state("live", 0)], made.frames(0, end))


def told(store: Noting) -> list[tuple[str, float]]:
    return [(one.type, (one.created_ms - START_MS) / 1000) for one in store.messages]


def still_from(second: float) -> Shown:
    return lambda film, number: alive(film, number if film < second else 10**6)


def still_between(begins: float, ends: float) -> Shown:
    return lambda film, number: alive(film, 10**6 if begins <= film < ends else number)


def test_a_frozen_picture_fires_nothing_and_is_told() -> None:
    made, store = camera(lambda film: bare(film) if film >= 10 else [], still_from(10))
    live(made, 90)
    assert told(store) == [("camera.frozen", 20.0)]
    assert made.pulse
    state = made.pulse.report().state
    assert (state.status, state.at.wall_ms, state.code) == ("frozen", START_MS + 10_000, None)
    assert "copy" in state.detail
    data = json.loads(store.messages[0].payload)["data"]
    assert (data["begins"], data["duration_s"]) == (True, 10.0)


def test_a_frozen_picture_resolves_nothing() -> None:
    """The helmet goes on half a second before the picture freezes: nobody saw it worn for long enough."""
    made, store = camera(lambda film: bare(film) if film < 10 else worker(), still_between(10.4, 25))
    live(made, 50)
    assert [kind for kind, _ in told(store)] == ["alert.fired", "camera.frozen", "camera.frozen", "alert.resolved"]
    assert store.changes[-1].kind == "resolved"
    assert store.changes[-1].at.seconds >= 25 + 2
    assert told(store)[2] == ("camera.frozen", 27.0)


def test_an_alert_goes_on_over_a_picture_that_stood_still() -> None:
    made, store = camera(bare, still_between(10, 25))
    live(made, 60)
    assert [kind for kind, _ in told(store)] == ["alert.fired", "camera.frozen", "camera.frozen"]
    assert [alert.ended for alert in store.open_alerts("gate")] == [None]


def test_for_long_without_sight_open_alerts_close_as_lost_sight_as_without_frames() -> None:
    made, store = camera(bare, still_from(10))
    live(made, 60)
    assert [kind for kind, _ in told(store)] == ["alert.fired", "camera.frozen", "alert.resolved"]
    assert store.changes[-1].kind == "lost_sight"
    assert 30 <= store.changes[-1].at.since(store.changes[-1].alert.seen) <= 33


def test_people_on_a_picture_that_stands_still_are_unknown_until_it_is_told_and_then_not_counted() -> None:
    made, store = camera(lambda _: worker(), still_from(10))
    live(made, 60)
    counted = [(at.seconds, added) for _, at, added, _ in store.counted]
    unknown = [(at, sum(s for (*_, state), s in added.items() if state == "unknown")) for at, added in counted]
    assert sum(seconds for at, seconds in unknown if 14 <= at < 20) == pytest.approx(2 * 6, abs=0.5)
    assert sum(seconds for at, seconds in unknown if at >= 20.2) == 0
    assert not [film for film in made.tries if film >= 12.1]


@pytest.mark.parametrize("nothing", [plain(0, 0, 0), plain(0, 135, 0)], ids=["black", "green"])
def test_a_blind_camera_is_told_judges_nobody_and_goes_on(nothing: Image) -> None:
    """The detector sees somebody bare on anything: on a picture of nothing that is nonsense."""
    made, store = camera(
        lambda film: bare(film) if 20 <= film < 40 else [],
        lambda film, number: noisy(nothing, 2, number) if 5 <= film < 40 else alive(film, number),
    )
    live(made, 60)
    assert [kind for kind, _ in told(store)] == ["camera.blind"] * 2
    assert [at for _, at in told(store)] == pytest.approx([15, 42], abs=0.6)
    assert not [film for film in made.tries if 16 <= film < 39.9]
    assert [film for film in made.tries if 40 <= film <= 41]
    assert made.pulse
    assert made.pulse.report().state.status == "live"


def test_a_moved_camera_is_told_with_what_to_do_and_judges_on() -> None:
    made, store = camera(bare, lambda film, number: noisy(HERE if film < 20 else seen(PLACE, 0.2), 2, number))
    live(made, 60)
    assert [kind for kind, _ in told(store)] == ["alert.fired", "camera.moved"]
    assert told(store)[1][1] == pytest.approx(50, abs=1.2)
    assert "check its zones" in json.loads(store.messages[-1].payload)["data"]["hint"]
    assert made.pulse
    assert made.pulse.report().state.status == "moved"
    assert made.pulse.report().people == 1


def test_what_was_told_is_not_told_again_after_a_restart_and_its_end_is() -> None:
    made, store = camera(lambda _: [], still_from(5))
    live(made, 20)
    assert store.conditions("gate") == {"frozen"}
    again = Camera(lambda _: [], store, clock=CameraClock(boot=700.0))
    again.shown, again.lookout = still_between(0, 40), made.lookout
    again.clock.film = 25.0
    again.run([again.state("live", 25)], again.frames(25, 50))
    assert told(store) == [("camera.frozen", 15.0), ("camera.frozen", 42.0)]
    assert store.conditions("gate") == frozenset()


def test_an_outage_is_offline_and_not_frozen() -> None:
    made, _ = camera(lambda _: [], still_from(5))
    made.run([made.state("live", 0)], made.frames(0, 20), [made.state("offline", 20, "STREAM_LOST")])
    assert made.pulse
    assert made.pulse.report().state.status == "offline"


def script(film: float) -> list[Row]:
    """Somebody walks in bare, stands still for long, puts the helmet on, leaves; another one is there at once."""
    if film < 10 or 60 <= film < 75:
        return []
    if film < 60:
        return worker(x=20 + 8 * min(film - 10, 5), y=20, helmet="no-helmet" if film < 45 else "helmet")
    return worker(x=150, y=20, vest="no-vest")


def drawn(film: float, number: int) -> Image:
    """The camera's picture of the script: who is there is on it, small."""
    image = HERE.copy()
    for name, _, (x1, y1, x2, y2) in script(film):
        if name == "person":
            cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), (40, 200, 240), -1)
    return noisy(image, 2, number)


def test_the_gate_changes_no_alert() -> None:
    with_gate, gated = camera(script, drawn)
    without, plainly = camera(script, drawn, lambda: Lookout(Sight()))
    for made in (with_gate, without):
        live(made, 110)
    assert gated.messages == plainly.messages
    assert gated.changes == plainly.changes
    assert [change.kind for change in gated.changes] == ["fired", "resolved", "fired"]
    assert len(without.tries) == 550
    assert len(with_gate.tries) <= 500  # occupied for most of the time
    empty = [film for film in with_gate.tries if film < 10]
    assert len(empty) <= 18
    assert with_gate.pulse
    assert without.pulse


def test_who_was_not_seen_to_come_is_told_within_the_bound() -> None:
    """Nothing moves on the picture, and the detector sees somebody from some moment on: 3 s, as documented."""
    for begins in np.arange(20, 21, 0.13):
        made, store = camera(lambda film, begins=begins: bare(film) if film >= begins else [])  # type: ignore[misc]
        live(made, 26)
        assert [kind for kind, _ in told(store)] == ["alert.fired"]
        assert told(store)[0][1] - begins <= 3.0


def test_frames_that_are_passed_over_are_fresh_frames() -> None:
    made, _ = camera(lambda _: [])
    live(made, 30)
    assert len(made.tries) == 50
    assert made.pulse
    assert made.pulse.report().frame_age == pytest.approx(0, abs=0.1)


def test_what_zones_ignore_is_hidden_from_the_lookout_too() -> None:
    lookout = Lookout(Sight(), MotionGate())
    corner = [((0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2))]
    at = HeldClock(0).now()
    assert lookout.take(HERE, corner, at, occupied=False).verdict == "judge"
    assert Lookout().take(HERE, corner, at, occupied=False).verdict == "judge"
    assert lookout.trouble is None
