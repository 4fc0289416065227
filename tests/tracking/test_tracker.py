"""What `safety.monitor.Tracker` promises, held by the real one and by the plain one that films are tracked with."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.safety.monitor import Monitor, OutOfOrder, Tracker
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from service.tracking.bytetrack import ByteTrack
from tests.safety.films import NearestTracker, moment, worker
from tests.safety.scenes import scene

Boxes = NDArray[np.float64]
Make = Callable[[], Tracker]
REAL, PLAIN = ByteTrack, NearestTracker
SPEED = 100.0
"""Pixels a second: a person of 300 px walks a body height in three seconds."""


@pytest.fixture(params=[REAL, PLAIN], ids=["bytetrack", "nearest"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def box(x: float, y: float = 100.0) -> list[float]:
    return [x, y, x + 100, y + 300]


def advance(tracker: Tracker, boxes: list[list[float]], seconds: float, confidence: float = 0.8) -> list[int]:
    ids = tracker.advance(np.array(boxes, dtype=np.float64).reshape(-1, 4), np.full(len(boxes), confidence), seconds)
    assert ids.dtype == np.int64
    assert ids.shape == (len(boxes),)
    return [int(one) for one in ids]


def times(fps: float, seconds: float, start: float = 50_000.0) -> Iterator[tuple[float, float]]:
    """Yield (seconds since the beginning, the frame's own time)."""
    for number in range(round(seconds * fps)):
        yield number / fps, start + number / fps


@pytest.mark.parametrize("fps", [10, 5, 2.5])
def test_who_walks_keeps_one_id(make: Make, fps: float) -> None:
    tracker = make()
    ids = [advance(tracker, [box(50 + SPEED * film)], at)[0] for film, at in times(fps, 8)]
    assert len(set(ids[1:])) == 1
    assert ids[1] >= 0
    assert ids[0] in (-1, ids[1])


@pytest.mark.parametrize("fps", [5, 2.5])
@pytest.mark.parametrize("gap", [0.8, 1.6])
def test_who_is_hidden_for_a_moment_keeps_their_id(fps: float, gap: float) -> None:
    """Of the real one: the plain one forgets at once, and compliance finds its people again by place and time."""
    tracker = REAL()
    ids = []
    for film, at in times(fps, 8):
        hidden = 3 <= film < 3 + gap
        ids += advance(tracker, [] if hidden else [box(50 + SPEED * film)], at)
    assert len(set(ids[1:])) == 1


def test_two_who_stay_apart_keep_two_ids_in_any_order_of_boxes(make: Make) -> None:
    rng = random.Random(3)
    tracker = make()
    seen: dict[str, set[int]] = {"left": set(), "right": set()}
    for film, at in times(5, 6):
        people = [("left", box(100 + 20 * film)), ("right", box(700 - 20 * film))]
        rng.shuffle(people)
        for (name, _), track in zip(people, advance(tracker, [one for _, one in people], at), strict=True):
            seen[name].add(track)
    left, right = (tracks - {-1} for tracks in seen.values())
    assert len(left) == len(right) == 1
    assert left != right


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(0, 2**32))
def test_the_order_of_boxes_does_not_matter(count: int, seed: int) -> None:
    """People at least two widths apart: whoever comes first in the arrays, the same boxes belong together."""
    rng = random.Random(seed)
    for made in (REAL, PLAIN):
        straight, shuffled = made(), made()
        pairs = set()
        for film, at in times(5, 3):
            boxes = [box(300.0 * number + 10 * film) for number in range(count)]
            order = rng.sample(range(count), count)
            plain = advance(straight, boxes, at)
            mixed = advance(shuffled, [boxes[index] for index in order], at)
            pairs |= {(plain[index], mixed[place]) for place, index in enumerate(order)} - {(-1, -1)}
        assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs) == count


def test_instances_know_nothing_of_each_other(make: Make) -> None:
    """The same film through two at once, and through one in a process in which others ran: the same ids."""
    alone = make()
    expected = [advance(alone, [box(100 + 20 * film), box(600)], at) for film, at in times(5, 4)]
    first, second = make(), make()
    for (film, at), ids in zip(times(5, 4), expected, strict=True):
        assert advance(first, [box(100 + 20 * film), box(600)], at) == ids
        advance(second, [box(900 - 20 * film)], at + 1000)
    assert [advance(second, [box(100)], 60_000 + at) for _, at in times(5, 1)][-1][0] >= 0


def test_nobody_there_is_no_ids(make: Make) -> None:
    tracker = make()
    assert advance(tracker, [], 1.0) == []
    for film, at in times(5, 2):
        advance(tracker, [box(100 + film)], at)
    assert advance(tracker, [], 60_000.0) == []
    assert advance(tracker, [], 60_000.2) == []


def test_somebody_new_after_a_long_absence_has_a_new_id(make: Make) -> None:
    tracker = make()
    old = [advance(tracker, [box(100)], at)[0] for _, at in times(5, 2)][-1]
    for _, at in times(5, 10, start=50_002.0):
        advance(tracker, [], at)
    new = [advance(tracker, [box(700)], at)[0] for _, at in times(5, 2, start=50_012.0)][-1]
    assert new >= 0
    assert new != old


def test_unsure_boxes_are_followed_and_start_nothing() -> None:
    tracker = REAL()
    assert {advance(tracker, [box(100)], at, confidence=0.2)[0] for _, at in times(5, 2)} == {-1}
    sure = [advance(tracker, [box(100)], at, confidence=0.8)[0] for _, at in times(5, 2, start=50_002.0)]
    unsure = [advance(tracker, [box(100)], at, confidence=0.2)[0] for _, at in times(5, 2, start=50_004.0)]
    assert set(unsure) == {sure[-1]}
    assert sure[-1] >= 0


@pytest.mark.parametrize("seconds", [10.0, 9.8, float("nan"), float("inf")])
def test_a_clock_that_does_not_go_on_is_refused(seconds: float) -> None:
    tracker = REAL()
    before = [advance(tracker, [box(100)], at)[0] for at in (9.6, 9.8, 10.0)][-1]
    with pytest.raises(ValueError, match="can't be advanced"):
        advance(tracker, [box(100)], seconds)
    assert advance(tracker, [box(100)], 10.2) == [before]


def test_the_monitor_refuses_such_a_clock_before_the_tracker_hears_of_it(make: Make) -> None:
    class Hearing:
        def __init__(self) -> None:
            self.tracker, self.heard = make(), 0

        def advance(self, boxes: Boxes, confidence: NDArray[np.float64], seconds: float) -> NDArray[np.int64]:
            self.heard += 1
            return self.tracker.advance(boxes, confidence, seconds)

    tracker = Hearing()
    monitor = Monitor(Scene(camera="gate"), Thresholds(), tracker)
    monitor.observe(scene(*worker()), moment(1.0))
    for late in (1.0, 0.8):
        with pytest.raises(OutOfOrder):
            monitor.observe(scene(*worker()), moment(late))
    assert tracker.heard == 1


def test_many_cameras_at_once_leave_the_warnings_of_the_process_alone() -> None:
    """A tracker that turned warnings into errors for a moment did so for every thread, and sometimes for good."""
    before = list(warnings.filters)

    def watch(camera: int) -> set[int]:
        tracker = REAL()
        return {advance(tracker, [box(100 + film)], camera + at)[0] for film, at in times(5, 6)}

    with ThreadPoolExecutor(4) as cameras:
        assert all(len(ids - {-1}) == 1 for ids in cameras.map(watch, range(4)))
    assert list(warnings.filters) == before
