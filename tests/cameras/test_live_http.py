"""Real decoder processes on an HTTP camera of our own: what they promise needs no RTSP server to be shown."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from service.cameras.child import ChildDecoder
from service.cameras.live import LiveSource, Patience
from service.cameras.opening import open_source
from service.cameras.orders import Order
from service.ports import Clock, Frame
from tests.cameras.clocks import RealClock, SkippingClock
from tests.cameras.http_camera import Camera, http_camera, jpeg
from tests.cameras.watching import brief, eventually, picture, state, until
from tests.conftest import ROOT

CANARY = "c4naryPa55word"


class Watched:
    """A live source whose decoder processes can be got hold of."""

    def __init__(self, order: Order, clock: Clock, patience: Patience) -> None:
        self.order = order
        self.decoders: list[ChildDecoder] = []
        self.source = LiveSource(self.launch, clock, patience=patience)

    def launch(self) -> ChildDecoder:
        self.decoders.append(ChildDecoder(self.order))
        return self.decoders[-1]

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.decoders[-1].pid)


@contextmanager
def watched(order: Order, clock: Clock | None = None, patience: Patience | None = None) -> Iterator[Watched]:
    watch = Watched(order, clock or RealClock(), patience or Patience())
    try:
        yield watch
    finally:
        watch.source.close()
        assert not any(psutil.pid_exists(decoder.pid) for decoder in watch.decoders)


def http(camera: Camera, **more: object) -> Order:
    return Order("http", camera.url, 30.0, **more)  # type: ignore[arg-type]


def test_pictures_come_with_their_size_number_and_age() -> None:
    with http_camera(Camera([jpeg(64, 48, 200)])) as camera, watched(http(camera)) as watch:
        events = until(watch.source, lambda event: picture(event) and event.number > 5, 20)
        assert [brief(event) for event in events[:2]] == ["connecting None ", "live None "]
        shots = [event for event in events if isinstance(event, Frame)]
        assert shots[0].image.shape == (48, 64, 3)
        assert abs(float(shots[-1].image.mean()) - 200) < 3
        assert time.monotonic() - shots[-1].at.seconds < 2
        assert [shot.number for shot in shots] == sorted({shot.number for shot in shots})


@pytest.mark.parametrize("lengths", [True, False])
def test_a_change_of_size_is_followed(lengths: bool) -> None:
    parts = [jpeg(64, 48)] * 8 + [b"damaged"] + [jpeg(128, 96)] * 8
    with http_camera(Camera(parts, lengths=lengths)) as camera, watched(http(camera)) as watch:
        until(watch.source, lambda event: picture(event) and event.image.shape == (96, 128, 3), 20)
        until(watch.source, lambda event: picture(event) and event.image.shape == (48, 64, 3), 5)
        assert len(watch.decoders) == 1


@pytest.mark.parametrize(
    ("camera", "code"),
    [
        (Camera(login=("adm.in", CANARY)), "STREAM_AUTH_FAILED"),
        (Camera(status=404), "STREAM_NOT_FOUND"),
        (Camera(status=500), "STREAM_CONNECTION_FAILED"),
        (Camera(status=302, location="http://169.254.169.254/"), "SOURCE_REFUSED"),
        (Camera(content="text/html"), "SOURCE_INVALID"),
        (Camera(loops=False), "STREAM_LOST"),
        (Camera(loops=False, silent_after=True), "STREAM_STALLED"),
        (Camera(parts=[b"rubbish"]), "STREAM_TIMEOUT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_fault_has_its_code(camera: Camera, code: str) -> None:
    with (
        http_camera(camera),
        watched(http(camera, user="adm.in", password="wrong", read_s=0.5), patience=Patience(opening=2.0)) as watch,
    ):
        until(watch.source, state("offline", code), 20)


def test_a_redirect_is_not_followed() -> None:
    target = Camera()
    with http_camera(target), http_camera(Camera(status=302, location=target.url)) as camera:
        with watched(http(camera)) as watch:
            until(watch.source, state("offline", "SOURCE_REFUSED"), 20)
        assert target.hits == 0


def test_a_login_works_and_is_seen_nowhere(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    with http_camera(Camera(login=("adm.in", CANARY))) as camera:
        source = open_source(camera.url, fps=30, clock=RealClock(), user="adm.in", password=CANARY)
        told += until(source, picture, 20)
        for child in psutil.Process().children(recursive=True):
            told += [child.cmdline(), child.environ()]
        source.close()
        told.append(repr(Order("http", camera.url, 5, user="u", password=CANARY)))
        with watched(http(camera, user="adm.in", password=f"{CANARY}x")) as watch:
            told += [brief(event) for event in until(watch.source, state("offline", "STREAM_AUTH_FAILED"), 20)]
            told.append(repr(vars(watch.source)))
    captured = capfd.readouterr()
    assert CANARY not in repr(told) + caplog.text + captured.out + captured.err


def test_passwords_in_our_environment_do_not_reach_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPE_GATE_PASSWORD", CANARY)
    with http_camera(Camera()) as camera, watched(http(camera)) as watch:
        until(watch.source, picture, 20)
        assert CANARY not in repr(watch.process.environ())


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSEGV])
def test_a_decoder_that_dies_is_replaced(kill: signal.Signals) -> None:
    with http_camera(Camera()) as camera, watched(http(camera), SkippingClock()) as watch:
        until(watch.source, picture, 20)
        os.kill(watch.decoders[0].pid, kill)
        events = until(watch.source, state("offline", "DECODER_CRASHED"), 5)
        assert f"signal {kill.value}" in brief(events[-1])
        until(watch.source, picture, 20)


@pytest.mark.thorough
def test_a_decoder_that_hangs_is_killed() -> None:
    patience = Patience(playing=1.0)
    with http_camera(Camera()) as camera, watched(http(camera), SkippingClock(), patience) as watch:
        until(watch.source, picture, 20)
        os.kill(watch.decoders[0].pid, signal.SIGSTOP)
        until(watch.source, state("offline", "STREAM_STALLED"), 5)
        until(watch.source, picture, 20)


@pytest.mark.thorough
def test_a_camera_that_was_not_there_is_found_when_it_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    camera = Camera(port=port)
    with watched(http(camera), SkippingClock()) as watch:
        until(watch.source, state("offline", "STREAM_CONNECTION_FAILED"), 20)
        with http_camera(camera):
            until(watch.source, state("live"), 20)


def test_a_port_that_never_answers_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with watched(Order("http", url, 5, open_s=0.5, read_s=0.5)) as watch:
            until(watch.source, state("offline", "STREAM_TIMEOUT"), 20)


def test_this_machine_can_be_forbidden() -> None:
    with http_camera(Camera()) as camera:
        source = open_source(camera.url, fps=5, clock=RealClock(), loopback=False)
        until(source, state("offline", "SOURCE_REFUSED"), 20)
        source.close()
        assert camera.hits == 0


def test_a_webcam_that_is_not_there_is_unavailable() -> None:
    source = open_source("99", fps=5, clock=RealClock())
    until(source, state("offline", "SOURCE_UNAVAILABLE"), 20)
    source.close()


def test_the_decoder_loads_little() -> None:
    script = "import sys, service.cameras.decoder; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    heavy = {"openvino", "torch", "fastapi", "pydantic", "scipy", "shapely", "multiprocessing", "typer", "structlog"}
    assert not heavy & set(told.stdout.split())


def test_signals_for_the_service_do_not_end_its_decoders() -> None:
    with http_camera(Camera()) as camera, watched(http(camera)) as watch:
        until(watch.source, picture, 20)
        os.kill(watch.decoders[0].pid, signal.SIGTERM)
        os.kill(watch.decoders[0].pid, signal.SIGINT)
        for _ in range(5):
            assert picture(until(watch.source, lambda _: True, 5)[0])


@pytest.mark.thorough
def test_the_decoder_dies_with_its_parent() -> None:
    script = (
        "import sys, psutil\n"
        "from service.cameras.opening import open_source\n"
        "from tests.cameras.clocks import RealClock\n"
        "source = open_source(sys.argv[1], fps=30, clock=RealClock())\n"
        "while source.read(1.0) is None or source._decoder is None or not source._decoder.frames: pass\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with http_camera(Camera()) as camera:
        parent = subprocess.Popen(
            [sys.executable, "-c", script, camera.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert parent.stdout
        decoder = int(parent.stdout.readline())
        assert psutil.pid_exists(decoder)
        both = (psutil.Process(parent.pid), psutil.Process(decoder))
        shared = {Path(part.path) for one in both for part in one.memory_maps() if part.path.startswith("/dev/shm/")}
        parent.kill()
        parent.wait()
        parent.stdout.close()
        assert eventually(lambda: not psutil.pid_exists(decoder), 3)
    assert not [path for path in shared if path.exists()]


@pytest.mark.thorough
def test_twenty_reopenings_leave_nothing_behind() -> None:
    me = psutil.Process()
    with http_camera(Camera(loops=False)) as camera, watched(http(camera), SkippingClock()) as watch:
        until(watch.source, state("offline", "STREAM_LOST"), 20)
        descriptors, memory = me.num_fds(), me.memory_info().rss
        while len(watch.decoders) <= 20:
            until(watch.source, state("live"), 20)
            until(watch.source, state("offline", "STREAM_LOST"), 20)
        assert me.num_fds() <= descriptors
        assert me.memory_info().rss - memory < 10 * 2**20
        assert len([child for child in me.children() if child.pid in {d.pid for d in watch.decoders}]) <= 1


def test_close_while_a_decoder_starts_or_waits_takes_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for wait in (0.0, 0.05, 0.5):
            with watched(Order("rtsp", f"rtsp://127.0.0.1:{server.getsockname()[1]}/", 5)) as watch:
                watch.source.read(0.0)
                watch.source.read(wait)
                began = time.monotonic()
                watch.source.close()
                assert time.monotonic() - began < 2
