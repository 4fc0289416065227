"""What a real RTSP camera may send: damaged H.265, another size in mid-stream, nothing for a while; and liars."""

from __future__ import annotations

import signal
import socket
import threading
import time
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
from tests.rtsp.camera import free_port, make_clips, rtsp_camera
from tests.rtsp.clips import make_clip

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_clips(tmp_path_factory.mktemp("streams"))
    for name in ("b.h264", "a.h265"):
        make_clip(folder / name, frames=60)
    return folder


def test_damaged_h265_does_not_end_the_stream(streams: Path) -> None:
    port = free_port()
    with rtsp_camera(streams, port, "--corrupt", "0.1"):
        source = open_source(f"rtsp://127.0.0.1:{port}/h265", fps=15, clock=RealClock())
        until(source, picture, 20)
        events = until(source, lambda event: picture(event) and event.number > 75, 20)
        source.close()
    assert all(isinstance(event, Frame) for event in events)


def test_a_change_of_size_in_mid_stream_is_scaled_to_the_first_one(streams: Path) -> None:
    port = free_port()
    with rtsp_camera(streams, port):
        source = open_source(f"rtsp://127.0.0.1:{port}/switch", fps=15, clock=RealClock())
        until(source, picture, 20)
        events = until(source, lambda event: picture(event) and event.number > 150, 30)  # 60 of one, 60 of the other
        source.close()
    assert {event.image.shape for event in events if isinstance(event, Frame)} == {(360, 640, 3)}
    assert all(isinstance(event, Frame) for event in events)


def test_who_answers_and_sends_no_pictures_is_stalled_and_comes_back(streams: Path) -> None:
    port = free_port()
    with rtsp_camera(streams, port) as server:
        source = open_source(f"rtsp://127.0.0.1:{port}/h264", fps=5, clock=RealClock())
        until(source, picture, 20)
        server.send_signal(signal.SIGUSR1)
        silent = time.monotonic()
        until(source, state("offline", "STREAM_STALLED"), 10)
        assert time.monotonic() - silent <= 10
        server.send_signal(signal.SIGUSR2)
        until(source, picture, 20)
        source.close()


ENDLESS = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n" + b"X-Padding: " + b"x" * 65_000 + b"\r\n"
HUGE = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 1000000000\r\n\r\nv=0\r\n"
ELSEWHERE = b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://169.254.169.254/\r\n\r\n"


@pytest.mark.parametrize("answer", [ENDLESS, HUGE, ELSEWHERE], ids=["endless head", "1 GB of SDP", "redirect"])
def test_a_liar_is_left_in_time_and_takes_no_memory(answer: bytes) -> None:
    """It answers every request with more than anybody asked for."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def lie() -> None:
            while not stop.is_set():
                try:
                    guest, _ = server.accept()
                except TimeoutError:
                    continue
                with guest:
                    guest.settimeout(0.5)
                    try:
                        guest.recv(4096)
                        while not stop.is_set():
                            guest.sendall(answer)
                            if answer == ELSEWHERE:
                                guest.recv(4096)
                    except OSError:
                        continue

        lying = threading.Thread(target=lie)
        lying.start()
        decoders: list[ChildDecoder] = []

        def launch() -> ChildDecoder:
            decoders.append(ChildDecoder(Order("rtsp", f"rtsp://127.0.0.1:{server.getsockname()[1]}/", 5, open_s=3.0)))
            return decoders[-1]

        source, began, most, told = LiveSource(launch, RealClock()), time.monotonic(), 0, ""
        while not told.startswith("offline") and time.monotonic() - began < 20:
            event = source.read(0.1)
            told = brief(event) if event else told
            if not told.startswith("offline") and decoders and psutil.pid_exists(decoders[-1].pid):
                most = max(most, psutil.Process(decoders[-1].pid).memory_info().rss)
        took = time.monotonic() - began
        stop.set()
        lying.join()
        source.close()
    assert told.startswith("offline S")
    assert took < 12
    assert most < 512 * 2**20
