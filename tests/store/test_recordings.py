"""Remembered detections come back as they were, and never take more than their room."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.safety.detections import Detections, empty
from service.safety.moment import Moment
from service.store.recordings import KEPT_MS, MOST_BYTES, MOST_FRAMES, MOST_WAITING, pack, unpack
from service.store.store import Store
from tests.store.made import START_MS, HeldClock, detections, moment


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(START_MS)


@pytest.fixture
def store(tmp_path: Path, clock: HeldClock) -> Iterator[Store]:
    with Store(tmp_path, [], clock=clock) as made:
        yield made


def same(one: Detections, two: Detections) -> bool:
    arrays = ("boxes", "confidence", "class_id", "seen_scale")
    plain = ("width", "height", "scale")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays) and all(
        getattr(one, name) == getattr(two, name) for name in plain
    )


def looked_closer(seen: Detections, people: int) -> Detections:
    """The first `people` boxes were seen twice as large."""
    seen_scale = seen.seen_scale * np.where(np.arange(len(seen)) < people, 2, 1)
    return dataclasses.replace(seen, seen_scale=seen_scale)


@given(st.lists(st.tuples(st.floats(0, 1e9), st.integers(0, 2**45), st.integers(0, 9), st.floats(0, 1e4)), max_size=6))
def test_what_is_packed_is_unpacked(frames: list[tuple[float, int, int, float]]) -> None:
    told = [
        (Moment(seconds, ms), looked_closer(detections(count, round(shift)), ms % 3))
        for seconds, ms, count, shift in frames
    ]
    heard = list(unpack(b"".join(pack(at, seen) for at, seen in told)))
    assert [at for at, _ in heard] == [at for at, _ in told]
    assert all(same(one, two) for (_, one), (_, two) in zip(told, heard, strict=True))


def test_frames_come_back_in_order_by_camera_after_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store:
        for number in range(10):
            store.remember("gate", moment(number), detections(number % 4))
            store.remember("dock", moment(number), empty(640, 480))
            if number == 5:
                store.flush()
    with Store(tmp_path, []) as store:
        heard = list(store.recording("gate"))
        assert [at for at, _ in heard] == [moment(number) for number in range(10)]
        assert same(heard[3][1], detections(3))
        assert [len(seen) for _, seen in store.recording("dock")] == [0] * 10
        assert list(store.recording("nowhere")) == []


def test_thirty_minutes_of_the_cameras_own_time_are_kept(store: Store) -> None:
    for minute in range(60):
        store.remember("gate", moment(minute * 60), detections())
        store.flush()
    kept = [at.seconds / 60 for at, _ in store.recording("gate")]
    assert kept == list(range(29, 60))


def test_a_silent_cameras_frames_are_forgotten_too(store: Store, clock: HeldClock) -> None:
    store.remember("gate", moment(0), detections())
    store.flush()
    clock.wall_ms += KEPT_MS
    assert len(list(store.recording("gate"))) == 1
    clock.wall_ms += 1
    assert list(store.recording("gate")) == []


def test_a_clock_set_back_does_not_keep_frames_for_ever(store: Store, clock: HeldClock) -> None:
    store.remember("gate", moment(0), detections())
    store.flush()
    clock.wall_ms -= 2 * KEPT_MS
    assert list(store.recording("gate")) == []


def test_a_camera_keeps_so_many_frames_at_most(store: Store) -> None:
    for number in range(MOST_FRAMES + 3000):
        store.remember("gate", moment(number / 100), empty(640, 480))
        if number % 1000 == 999:
            store.flush()
    kept = [at for at, _ in store.recording("gate")]
    assert MOST_FRAMES - 1000 <= len(kept) <= MOST_FRAMES
    assert kept[-1] == moment((MOST_FRAMES + 2999) / 100)


def test_a_camera_takes_so_many_bytes_at_most(store: Store) -> None:
    crowded, number = detections(4000), 0
    size = len(pack(moment(0), crowded))
    while number * size < MOST_BYTES + 3 * MOST_WAITING:
        store.remember("gate", moment(number / 100), crowded)
        number += 1
        if number % 4 == 0:
            store.flush()
    kept = [at for at, _ in store.recording("gate")]
    assert MOST_BYTES - 4 * size < len(kept) * size <= MOST_BYTES
    assert kept[-1] == moment((number - 1) / 100)
