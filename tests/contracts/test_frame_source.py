"""What every source of frames promises: a video file, a folder, a live RTSP camera, and the fake that tests use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.cameras.fake import FakeSource
from service.cameras.opening import open_source
from service.ports import CameraState, Clock, Frame, FrameSource
from service.safety.moment import Moment
from tests.cameras.clocks import RealClock
from tests.rtsp.camera import free_port, make_clips, rtsp_camera

Made = Iterator[FrameSource]
LIVE = {"rtsp"}


def video(folder: Path, clock: Clock) -> Made:
    path = folder / "gate.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, (64, 48))
    for k in range(30):
        writer.write(np.full((48, 64, 3), 8 * k, np.uint8))
    writer.release()
    yield open_source(str(path), fps=5, clock=clock)


def folder(folder: Path, clock: Clock) -> Made:
    for k in range(10):
        cv2.imwrite(str(folder / f"{k}.png"), np.full((48, 64, 3), 20 * k, np.uint8))
    yield open_source(str(folder), fps=5, clock=clock)


def rtsp(folder: Path, clock: Clock) -> Made:
    port = free_port()
    with rtsp_camera(make_clips(folder), port):
        yield open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=clock)


def fake(folder: Path, clock: Clock) -> Made:
    def at(k: int) -> Moment:
        return Moment(0.2 * k, 200 * k)

    frames = [Frame(np.full((48, 64, 3), 20 * k, np.uint8), at(k), k + 1) for k in range(10)]
    yield FakeSource([CameraState("live", at(0)), *frames, CameraState("ended", at(9))], clock)


@pytest.fixture(params=[video, folder, rtsp, fake], ids=lambda make: make.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    make: Callable[[Path, Clock], Made] = request.param
    for made in make(tmp_path, RealClock()):
        yield made
        made.close()


def read(source: FrameSource, frames: int, within: float = 20.0) -> list[Frame | CameraState]:
    deadline, events = time.monotonic() + within, []
    while sum(isinstance(event, Frame) for event in events) < frames and time.monotonic() < deadline:
        event = source.read(0.5)
        if event is not None:
            events.append(event)
        if isinstance(event, CameraState) and event.status == "ended":
            break
    return events


def test_frames_are_upright_bgr_pictures_of_their_own_in_order_of_time(source: FrameSource) -> None:
    frames = [event for event in read(source, 8) if isinstance(event, Frame)]
    assert len(frames) == 8
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.shape[2] == 3
        assert frame.image.flags.c_contiguous
    for before, after in pairwise(frames):
        assert after.at.seconds > before.at.seconds
        assert after.at.wall_ms >= before.at.wall_ms
        assert after.number > before.number
        assert not np.shares_memory(before.image, after.image)


def test_live_comes_before_the_first_frame(source: FrameSource) -> None:
    events = read(source, 1)
    assert isinstance(events[-1], Frame)
    states = [event.status for event in events[:-1] if isinstance(event, CameraState)]
    assert states in (["live"], ["connecting", "live"])


def test_at_most_the_wanted_frames_a_second(source: FrameSource) -> None:
    frames = [event for event in read(source, 9) if isinstance(event, Frame)]
    assert frames[-1].at.since(frames[0].at) >= (len(frames) - 1) / 5 - 0.2


def test_a_recording_ends_once_and_is_silent_from_then_on(source: FrameSource, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.id in LIVE:
        source.close()
        return
    events = read(source, 99, within=2.0)
    assert isinstance(events[-1], CameraState)
    assert [event.status for event in events if isinstance(event, CameraState)] == ["live", "ended"]
    began = time.monotonic()
    assert source.read(5.0) is None
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_close_is_quick_and_idempotent_and_ends_everything(source: FrameSource, frames: int) -> None:
    read(source, frames)
    began = time.monotonic()
    source.close()
    source.close()
    assert source.read(1.0) is None
    assert time.monotonic() - began < 5
