"""What a camera hears of FFmpeg through the relay: no word of sound, and no refused login twice."""

from __future__ import annotations

import time

from service.cameras.child import ChildDecoder
from service.cameras.orders import Fault, Order
from tests.cameras.rtsp_teller import SIGHT, SOUND, Teller


def ended(order: Order) -> Fault:
    """Return with which fault a decoder process ends."""
    decoder, deadline = ChildDecoder(order), time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            said = decoder.poll(1.0)
            if isinstance(said, Fault):
                return said
    finally:
        decoder.stop()
    raise AssertionError("the decoder did not end")


def test_sound_that_a_camera_announces_is_never_asked_for() -> None:
    with Teller(SOUND + SIGHT + SOUND) as camera:
        ended(Order("rtsp", camera.url, 5, open_s=20.0))
    assert camera.verbs() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert "/sight " in camera.asked[2]


def test_a_login_that_is_refused_is_sent_once() -> None:
    with Teller(locked=True) as camera:
        fault = ended(Order("rtsp", camera.url, 5, user="kim", password="wrong", open_s=20.0))
    assert fault == Fault("STREAM_AUTH_FAILED", "The camera refuses this user and password.")
    assert (camera.logins(), camera.verbs()) == (1, ["OPTIONS", "DESCRIBE", "DESCRIBE"])


def test_a_camera_that_asks_for_a_login_that_nobody_gave_is_asked_once() -> None:
    with Teller(locked=True) as camera:
        fault = ended(Order("rtsp", camera.url, 5, open_s=20.0))
    assert fault.code == "STREAM_AUTH_FAILED"
    assert (camera.logins(), camera.verbs()) == (0, ["OPTIONS", "DESCRIBE"])
