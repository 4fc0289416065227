"""One camera's loop when its detector, its driver or its store fails: what is told, and how the watch ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.detectors.fake import FakeDetector
from service.ports import DetectorClosed, Frame, Image
from service.safety.detections import Detections, empty
from service.safety.moment import Moment
from service.safety.site import Requirement, Scene, Zone
from service.worker.eye import Eye
from tests.safety.films import START_MS, worker
from tests.safety.scenes import Row
from tests.worker.plays import Play, Played
from tests.worker.stores import Noting

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def bare(_: float) -> list[Row]:
    return worker(helmet="no-helmet")


def test_a_detector_that_fails_for_long_is_told_once_and_again_when_it_works() -> None:
    store = Noting()
    play = Play(lambda _: worker(), store, broken=lambda film: 10 <= film < 40)
    with capture_logs() as lines:
        play.run(play.frames(0, 90))
    assert [line["event"] for line in lines] == ["detector.failing", "detector.works_again"]
    told = [json.loads(one.payload) for one in store.messages]
    assert {one["type"] for one in told} == {"camera.cannot_judge"}
    assert {one["data"]["reason"] for one in told} == {"detector_failed"}
    assert [(one["data"]["equipment"], one["data"]["begins"]) for one in told] == [
        ("helmet", True),
        ("vest", True),
        ("helmet", False),
        ("vest", False),
    ]
    assert [(one.created_ms - START_MS) / 1000 for one in store.messages] == [15, 15, 41, 41]
    failed = [film for film in play.tries if film >= 10]
    assert failed[:6] == [10, 11, 13, 17, 25, 41]  # after 1, 2, 4, 8 and 16 s


def test_a_failing_detector_is_told_for_what_the_camera_is_asked() -> None:
    asked = Zone(id="yard", polygon=WHOLE, require=(Requirement(equipment="vest"),))
    exempt = Zone(id="office", polygon=WHOLE, exempt=True)
    store = Noting()
    scene = Scene(camera="gate", zones=(asked, exempt))
    play = Play(lambda _: [], store, scene=scene, broken=lambda _: True)
    play.run(play.frames(0, 10))
    assert [json.loads(one.payload)["data"]["equipment"] for one in store.messages] == ["vest"]


@pytest.mark.thorough
def test_a_detector_that_fails_now_and_then_is_logged_and_not_told() -> None:
    store = Noting()
    play = Play(bare, store, broken=lambda film: film % 4 < 0.1)
    play.run(play.frames(0, 20))
    assert store.told() == ["alert.fired"]


def test_time_goes_on_for_open_alerts_while_the_detector_fails() -> None:
    store = Noting()
    play = Play(bare, store, broken=lambda film: film >= 6)
    play.run(play.frames(0, 50))
    assert store.told() == ["alert.fired", "camera.cannot_judge", "camera.cannot_judge", "alert.resolved"]
    lost = store.changes[-1]
    assert lost.kind == "lost_sight"
    assert 30 <= lost.at.since(lost.alert.seen) <= 32
    assert len(store.remembered) == 30


def test_a_detector_that_is_stuck_is_given_up_told_and_used_again_once_it_answers() -> None:
    """A call that does not come back holds up neither the camera nor the next call for ever."""
    free, calls = threading.Event(), []

    def see(image: Image) -> Detections:
        calls.append(image)
        if len(calls) == 1:
            assert free.wait(60)
        return empty(image.shape[1], image.shape[0])

    def at(seconds: float) -> Moment:
        return Moment(seconds, START_MS + round(1000 * seconds))

    detector = FakeDetector(see)
    eye = Eye("gate", ["helmet"], detector, at(0), longest=0.05)
    image = np.zeros((8, 8, 3), np.uint8)
    with capture_logs() as lines:
        assert eye.look(image, at(0)) == (None, ())
        assert eye.stuck
        assert eye.look(image, at(4)) == (None, ())
        _, (told,) = eye.look(image, at(21))
        assert (told.reason, told.begins, told.equipment) == ("detector_failed", True, "helmet")
        assert len(calls) == 1  # nothing is put behind the one that does not come back
        free.set()
        while eye.stuck:
            detector.submit(image).result()
        found, (over,) = eye.look(image, at(22))
    assert found is not None
    assert not over.begins
    assert [line["event"] for line in lines] == ["detector.stuck", "detector.works_again"]
    detector.close()


def test_a_closed_detector_ends_the_watch() -> None:
    play = Play(bare, Noting())
    source = play.source(play.frames(0, 5))
    detector = FakeDetector(play.see)
    detector.close()
    with pytest.raises(DetectorClosed):
        play.watch(lambda: source, source.stop, detector)
    assert source.closed


def broken_off(play: Play, store: Noting) -> Iterator[Frame]:
    """A camera whose driver fails; the store works again when it is too late for another frame."""
    yield from play.frames(0, 5)
    store.broken = range(0)
    raise RuntimeError("the driver failed")


def test_the_source_is_closed_and_the_rest_recorded_when_the_watch_dies() -> None:
    store = Noting(broken=range(1000))
    play = Play(bare, store)
    source = play.source(broken_off(play, store))
    with pytest.raises(RuntimeError, match="the driver failed"):
        play.watch(lambda: source)
    assert source.closed
    assert store.told() == ["alert.fired"]


def test_a_close_that_fails_hides_neither_the_first_fault_nor_a_record() -> None:
    store = Noting(broken=range(1000))
    play = Play(bare, store)
    order: list[object] = []

    class Stuck(Played):
        def close(self) -> None:
            order.append(store.told())
            raise OSError("the decoder does not end")

    source = Stuck(broken_off(play, store), play.clock)
    with capture_logs() as lines, pytest.raises(RuntimeError, match="the driver failed"):
        play.watch(lambda: source)
    assert order == [["alert.fired"]]
    assert [line["event"] for line in lines][-1] == "watch.closing"


def test_a_record_that_the_store_can_never_take_hides_no_fault_and_leaves_nothing_open() -> None:
    class Strange(Noting):
        def record(self, *_: object) -> None:  # type: ignore[override]
            raise ValueError("no alert id")

    play = Play(bare, Strange())
    source = play.source(play.frames(0, 5))
    with capture_logs() as lines, pytest.raises(ValueError, match="no alert id"):
        play.watch(lambda: source)
    assert source.closed
    assert [line["event"] for line in lines] == ["alert.fired", "record.lost", "watch.closing"]


def test_a_close_that_fails_after_a_stop_does_not_start_the_watch_anew() -> None:
    play = Play(bare, Noting())

    class Stuck(Played):
        def close(self) -> None:
            raise OSError("the decoder does not end")

    source = Stuck(play.frames(0, 1), play.clock)
    with capture_logs() as lines:
        play.watch(lambda: source, source.stop)
    assert [line["event"] for line in lines] == ["watch.closing"]
