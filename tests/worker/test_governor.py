from __future__ import annotations

import heapq
from collections import Counter
from concurrent.futures import Future

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.detectors.fake import FakeDetector
from service.worker.governor import Governor
from service.worker.shares import Claim, Priority


class Site:
    """Cameras before a detector that takes one picture at a time, on a clock of its own."""

    def __init__(self, look: float, **cameras: tuple[float, Priority]) -> None:
        self.now = 0.0
        self.look = look
        self.governor = Governor(lambda: self.now)
        self.seats = {name: self.governor.seat(name, Claim(fps, rank)) for name, (fps, rank) in cameras.items()}
        self.free = 0.0
        self.due = [(0.001 * index, name) for index, name in enumerate(cameras)]

    def run(self, seconds: float) -> Counter[str]:
        """Let time pass; each camera hands out its newest picture and waits for the answer. Return what was judged."""
        judged: Counter[str] = Counter()
        ends = self.now + seconds
        while self.due[0][0] < ends:
            at, name = heapq.heappop(self.due)
            seat, period = self.seats[name], 1 / self.seats[name].claim.fps
            if not seat.takes(at):
                heapq.heappush(self.due, (at + period, name))
                continue
            self.free = max(self.free, at) + self.look
            self.now = max(self.now, self.free)
            seat.looked(self.free - at)
            judged[name] += 1
            waited = max(1, np.ceil((self.free - at) / period - 1e-9))
            heapq.heappush(self.due, (at + waited * period, name))
        self.now = max(self.now, ends)
        return judged


def test_a_detector_that_keeps_up_is_asked_for_everything() -> None:
    site = Site(0.04, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "low"))
    with capture_logs() as lines:
        judged = site.run(120)
    assert not lines
    assert all(abs(judged[name] - 600) <= 2 for name in site.seats)


def test_under_overload_the_lowest_priority_gives_way_and_it_is_told() -> None:
    site = Site(0.1, gate=(5, "high"), dock=(5, "normal"), yard=(5, "low"))  # 10 of 15 looks a second
    with capture_logs() as lines:
        site.run(30)
        judged = site.run(120)
    assert lines[0]["event"] == "detector.overloaded"
    assert lines[0]["log_level"] == "warning"
    assert set(lines[0]["frames_per_second"]) <= {"dock", "yard"}
    assert judged["gate"] >= 0.9 * 5 * 120
    assert judged["gate"] >= judged["dock"] > judged["yard"] >= 0.8 * 120
    assert sum(judged.values()) > 0.7 * 10 * 120, "the detector is used"


def test_when_there_is_room_again_everybody_gets_what_they_ask_for_and_it_is_told() -> None:
    site = Site(0.1, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))
    with capture_logs() as lines:
        site.run(60)
        assert any(seat.reduced_to for seat in site.seats.values())
        site.look = 0.03
        site.run(900)
    assert not any(seat.reduced_to for seat in site.seats.values())
    assert lines[-1]["event"] == "detector.keeps_up"
    assert len(lines) < 25


def test_a_moment_of_slow_answers_is_over_soon() -> None:
    """A model is compiled, a neighbour takes the machine: what was cut for it is back within half a minute."""
    site = Site(0.03, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))
    with capture_logs() as lines:
        site.run(20)
        site.look = 0.5
        site.run(6)
        assert all(seat.reduced_to for seat in site.seats.values())
        site.look = 0.03
        site.run(30)
        assert not any(seat.reduced_to for seat in site.seats.values())
    assert lines[-1]["event"] == "detector.keeps_up"


@pytest.mark.parametrize("seconds", [12, 30, 60, 600])
def test_a_burst_of_slow_answers_is_soon_over_however_long_it_lasts(seconds: float) -> None:
    """What was cut in it is not what proved too much: nothing more was tried."""
    site = Site(0.03, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"), roof=(5, "low"))
    with capture_logs() as lines:
        site.run(20)
        site.look = 0.5
        site.run(seconds)
        told = len(lines)
        site.look = 0.03
        site.run(50)
    assert not any(seat.reduced_to for seat in site.seats.values())
    assert told <= 2, "at the floor there is nothing new to tell"


def test_what_many_cameras_lost_in_a_burst_is_soon_back() -> None:
    """None of them has enough answers in one window."""
    site = Site(0.015, **{f"c{number}": (5, "normal") for number in range(10)})
    with capture_logs():
        site.run(20)
        site.look = 0.6
        site.run(30)
        assert all(seat.reduced_to for seat in site.seats.values())
        site.look = 0.015
        site.run(50)
    assert not any(seat.reduced_to for seat in site.seats.values())


def test_a_detector_that_almost_keeps_up_is_tried_ever_less_often() -> None:
    site = Site(0.069, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))  # 14.5 of 15 looks a second
    with capture_logs() as lines:
        site.run(3600)
    assert len(lines) < 60


def test_time_in_which_nothing_was_asked_is_no_time_in_which_little_was_managed() -> None:
    site = Site(0.08, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))
    with capture_logs():
        site.run(3)
        site.due = [(at + 60, name) for at, name in site.due]
        site.run(70)
    assert all(seat.fps > 3 for seat in site.seats.values())


def test_time_without_pictures_is_no_time_in_which_little_was_managed() -> None:
    """Cameras take seconds to connect; the first overload must not be measured over them as well."""
    site = Site(0.08, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))  # 12.5 of 15 looks a second
    site.due = [(at + 3.5, name) for at, name in site.due]
    with capture_logs():
        site.run(10)
    assert all(seat.fps > 3.3 for seat in site.seats.values())


def test_a_camera_that_leaves_gives_its_share_to_the_others() -> None:
    site = Site(0.1, gate=(5, "normal"), dock=(5, "normal"), yard=(5, "normal"))
    with capture_logs():
        site.run(30)
        for name in ("dock", "yard"):
            site.governor.leave(name)
    assert site.seats["gate"].reduced_to is None


def test_answers_are_measured_and_failures_are_not() -> None:
    site = Site(0.1, gate=(5, "normal"))
    seat = site.seats["gate"]
    image = np.zeros((360, 640, 3), np.uint8)
    eyes = seat.measured(FakeDetector())
    assert eyes.model == FakeDetector().model
    eyes.detect(image)  # the first answer begins a window
    eyes.detect(image)
    assert len(seat.took) == 1

    class Failing(FakeDetector):
        def submit(self, image: object) -> Future:  # type: ignore[type-arg]
            failed: Future[object] = Future()
            failed.set_exception(RuntimeError("no engine"))
            return failed

    assert seat.measured(Failing()).submit(image).exception()
    assert len(seat.took) == 1
    eyes.close()
