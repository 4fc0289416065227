"""A real RTSP camera that freezes, dies, is absent or refuses; the times are those that operators are promised."""

from __future__ import annotations

import signal
import socket
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from service.cameras.child import ChildDecoder
from service.cameras.live import LiveSource
from service.cameras.opening import open_source
from service.cameras.orders import Order
from service.ports import Frame
from tests.cameras.clocks import RealClock
from tests.cameras.watching import brief, picture, state, until
from tests.rtsp.camera import free_port, rtsp_camera

PASSWORD = "c4nary@:/?#[]%w"


@pytest.mark.thorough
def test_five_frames_a_second_in_order_and_fresh(clips: Path) -> None:
    port = free_port()
    with rtsp_camera(clips, port):
        source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=RealClock())
        until(source, state("live"), 20)
        until(source, picture, 5)
        began = time.monotonic()
        shots = [
            event for event in until(source, lambda _: time.monotonic() - began > 3, 6) if isinstance(event, Frame)
        ]
        source.close()
    assert 12 <= len(shots) <= 17
    gaps = [b.at.seconds - a.at.seconds for a, b in pairwise(shots[1:])]
    assert all(gap > 0.05 for gap in gaps)
    assert shots[-1].number - shots[0].number > 30


def test_a_slow_reader_gets_the_newest_frame(clips: Path) -> None:
    port = free_port()
    with rtsp_camera(clips, port):
        source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=RealClock())
        until(source, picture, 20)
        time.sleep(2)
        frame = source.read(1.0)
        assert isinstance(frame, Frame)
        assert time.monotonic() - frame.at.seconds < 0.8
        source.close()


@pytest.mark.thorough
def test_frozen_then_thawed_then_killed_then_back(clips: Path) -> None:
    port = free_port()
    source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=RealClock())
    until(source, state("offline", "STREAM_CONNECTION_FAILED"), 20)  # absent at the start
    with rtsp_camera(clips, port) as server:
        until(source, picture, 20)
        server.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        until(source, state("offline", "STREAM_STALLED"), 10)
        assert time.monotonic() - frozen <= 10
        server.send_signal(signal.SIGCONT)
        until(source, picture, 20)
        server.kill()
        until(source, state("offline", "STREAM_LOST"), 3)
    with rtsp_camera(clips, port):
        until(source, picture, 40)
    source.close()
    assert not [child for child in psutil.Process().children() if "decoder" in " ".join(child.cmdline())]


@pytest.mark.thorough
def test_a_stream_that_falls_silent_is_stalled(clips: Path) -> None:
    port = free_port()
    with rtsp_camera(clips, port, "--stall-after", "30"):
        source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=RealClock())
        until(source, picture, 20)
        until(source, state("offline", "STREAM_STALLED"), 14)
        source.close()


@pytest.mark.parametrize(
    ("path", "user", "password", "wanted"),
    [
        ("h264", "adm.in", PASSWORD, "live None "),
        ("h264", "adm.in", "wrong", "offline STREAM_AUTH_FAILED"),
        ("h264", "", "", "offline STREAM_AUTH_FAILED"),
        ("nope", "adm.in", PASSWORD, "offline STREAM_NOT_FOUND"),
    ],
)
def test_login_and_path_are_told_apart(clips: Path, path: str, user: str, password: str, wanted: str) -> None:
    port = free_port()
    with rtsp_camera(clips, port, "--user", "adm.in", "--password", PASSWORD):
        url = f"rtsp://127.0.0.1:{port}/{path}"
        source = open_source(url, fps=5, clock=RealClock(), user=user, password=password)
        events = until(source, lambda event: not brief(event).startswith("connecting"), 20)
        source.close()
    assert brief(events[-1]).startswith(wanted)
    assert "c4nary" not in repr([brief(event) for event in events])


@pytest.mark.parametrize("first", [b"HTTP/1.1 200 OK\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n", b"", None])
def test_a_port_that_is_no_camera_is_told(first: bytes | None) -> None:
    """It never answers (None), hangs up, or speaks something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        order = Order("rtsp", f"rtsp://127.0.0.1:{server.getsockname()[1]}/", 5, open_s=1.0, read_s=0.5)
        source = LiveSource(lambda: ChildDecoder(order), RealClock())
        server.settimeout(0.05)
        guests: list[socket.socket] = []

        def answer() -> None:
            try:
                guest, _ = server.accept()
            except TimeoutError:
                return
            if first is None or first.startswith(b"RTSP"):
                guests.append(guest)
            if first:
                guest.sendall(first)
            if guest not in guests:
                guest.close()

        deadline, event = time.monotonic() + 20, None
        while time.monotonic() < deadline and not (event and brief(event).startswith("offline")):
            event = source.read(0.05) or event
            answer()
        source.close()
        for guest in guests:
            guest.close()
    assert event is not None
    expected = "offline STREAM_TIMEOUT" if first is None else "offline STREAM_"
    assert brief(event).startswith(expected)


@pytest.mark.thorough
def test_damaged_frames_do_not_end_the_stream(clips: Path) -> None:
    port = free_port()
    with rtsp_camera(clips, port, "--corrupt", "0.3"):
        source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=15, clock=RealClock())
        until(source, picture, 20)
        events = until(source, lambda event: picture(event) and event.number > 75, 20)
        source.close()
    assert all(isinstance(event, Frame) for event in events)
