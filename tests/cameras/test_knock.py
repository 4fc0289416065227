"""A camera that is not there costs a connection; a process is started for one that answers."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from service.cameras.child import Decoder, Silence
from service.cameras.knock import Knocking, knocking
from service.cameras.mailbox import Taken
from service.cameras.orders import Fault, Order
from tests.rtsp.camera import free_port


class Idle:
    """A decoder that was started and says nothing."""

    frames, cpu_seconds = 7, 0.5

    def __init__(self) -> None:
        self.stopped = False

    def poll(self, wait: float) -> Taken | Fault | None:
        return None

    def silence(self) -> Silence:
        return Silence("opening", 0.0)

    def stop(self) -> None:
        self.stopped = True


def order(url: str, *, loopback: bool = True, kind: str = "rtsp") -> Order:
    return Order(kind, url, 5, open_s=0.2, loopback=loopback)  # type: ignore[arg-type]


def none_started() -> Decoder:
    raise AssertionError("a process was started")


def first(decoder: Decoder) -> Taken | Fault | None:
    ends, said = time.monotonic() + 5, None
    while said is None and time.monotonic() < ends:
        said = decoder.poll(0.05)
    decoder.stop()
    return said


def test_nobody_there_starts_nothing() -> None:
    said = first(knocking(order(f"rtsp://127.0.0.1:{free_port()}/"), none_started))
    assert said == Fault("STREAM_CONNECTION_FAILED", "Nothing listens at the port of this host.")


def test_who_does_not_answer_in_time_starts_nothing() -> None:
    with socket.socket() as full:  # a queue that is full takes no further connection
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()
        guests = [socket.socket() for _ in range(2)]
        for guest in guests:
            guest.setblocking(False)
            guest.connect_ex(place)
        said = first(knocking(order(f"rtsp://127.0.0.1:{place[1]}/"), none_started))
        for guest in guests:
            guest.close()
    assert said == Fault("STREAM_TIMEOUT", "The camera does not answer in time.")


def test_who_answers_is_decoded() -> None:
    idle = Idle()
    with socket.create_server(("127.0.0.1", 0)) as server:
        decoder = knocking(order(f"rtsp://127.0.0.1:{server.getsockname()[1]}/"), lambda: idle)
        assert decoder.silence().stage == "starting"
        assert (decoder.frames, decoder.cpu_seconds) == (0, 0.0)
        assert decoder.poll(1.0) is None
        assert decoder.silence().stage == "opening"
        assert (decoder.frames, decoder.cpu_seconds) == (7, 0.5)
        guest, _ = server.accept()
        with guest:
            assert guest.recv(1) == b""  # it said nothing and hung up
    decoder.stop()
    assert idle.stopped


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("rtsp://camera.invalid/", True),
        ("rtsp://localhost/", True),
        ("rtsp://localhost.:554/", True),
        ("rtsp://127.0.0.1.:554/", True),
        ("rtsp://127.0.0.1/", False),
        ("rtsp://[fe80::1]/", True),
    ],
    ids=["named", "localhost", "rooted", "almost", "forbidden", "never"],
)
def test_what_only_the_process_may_judge_is_left_to_it(url: str, loopback: bool) -> None:
    idle = Idle()
    assert knocking(order(url, loopback=loopback), lambda: idle) is idle


def test_a_webcam_has_no_port() -> None:
    idle = Idle()
    assert knocking(order("0", kind="usb"), lambda: idle) is idle


def test_a_process_that_can_not_be_started_is_a_fault() -> None:
    def full() -> Decoder:
        raise OSError(errno.EAGAIN, "no more processes")

    with socket.create_server(("127.0.0.1", 0)) as server:
        said = first(Knocking(server.getsockname(), 1.0, full))
    assert said == Fault("DECODER_CRASHED", "The decoder can't be started: no more processes.")
