"""What a decoder process reads: FFmpeg's RTSP, Video4Linux, or our own MJPEG reader, behind two verbs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from service.cameras.mjpeg import MjpegFeed
from service.cameras.orders import FeedError, Order
from service.cameras.reach import connect
from service.cameras.relay import Relay

_TRIES: Final = 10  # a damaged frame fails as the end of a stream does, but the next one comes
_THREADS: Final = 1  # each further one would keep a frame back
_OPTIONS: Final = "|".join(
    (
        "rtsp_transport;tcp",  # over UDP it would send to any address
        "allowed_media_types;video",  # sound is not asked for, and one that never comes is not waited for
        "protocol_whitelist;rtsp,rtp,tcp",  # a camera's answer can't lead it to a file
        "analyzeduration;500000",
    )
)
"""What FFmpeg is told of every RTSP stream; here and nowhere else, since OpenCV takes all of it or none."""


class Feed(Protocol):
    """Pictures of one camera, one after another."""

    def grab(self) -> bool:
        """Wait for the next frame; False when there are no more."""
        ...

    def retrieve(self, room: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, decoded into `room` where it fits; None when it is damaged."""
        ...


def open_feed(order: Order) -> Feed:
    """Open what an order names.

    Raises:
        FeedError: it can't be opened.
    """
    if order.kind == "http":
        return MjpegFeed(order)
    return CaptureFeed(_opened_usb(order) if order.kind == "usb" else _opened_rtsp(order), order)


class CaptureFeed:
    """Pictures of an open OpenCV capture."""

    def __init__(self, capture: cv2.VideoCapture, order: Order) -> None:
        self._capture = capture
        self._usb = order.kind == "usb"
        self._patience = order.read_s

    def grab(self) -> bool:
        """Wait for the next frame; False when the stream ended.

        Raises:
            FeedError: the camera is silent, or was unplugged.
        """
        if self._usb:
            if not self._capture.grab():
                raise FeedError("SOURCE_UNAVAILABLE", "The webcam gives no pictures any more: is it still plugged in?")
            return True
        for _ in range(_TRIES):
            asked = time.monotonic()
            grabbed = self._capture.grab()
            if time.monotonic() - asked > self._patience * 0.95:
                # a frame that comes with the time-out is an old one out of FFmpeg's queue, and none follow it
                raise FeedError("STREAM_STALLED", "The camera sends no pictures any more.")
            if grabbed:
                return True
        return False

    def retrieve(self, room: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
        """Return the grabbed frame, decoded into `room` where it fits."""
        ok, image = self._capture.retrieve() if room is None else self._capture.retrieve(room)
        return np.asarray(image, np.uint8) if ok else None


def _opened_rtsp(order: Order) -> cv2.VideoCapture:
    asked = time.monotonic()
    relay = Relay(order, connect(urlsplit(order.url), order.open_s, loopback=order.loopback))
    left = max(0.1, order.open_s - (time.monotonic() - asked))
    waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(left * 1000)]
    waits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(order.read_s * 1000), cv2.CAP_PROP_N_THREADS, _THREADS]
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _OPTIONS
    capture = cv2.VideoCapture(relay.url, cv2.CAP_FFMPEG, waits)
    if capture.isOpened():
        return capture
    if time.monotonic() - asked > order.open_s * 0.9:
        raise FeedError("STREAM_TIMEOUT", "The camera does not answer in time.")
    fault = relay.fault
    if fault is None:
        raise FeedError("SOURCE_INVALID", "The camera answers, but what it sends can't be read as video.")
    raise FeedError(fault.code, fault.detail)


def _opened_usb(order: Order) -> cv2.VideoCapture:
    device = Path(f"/dev/video{order.url}")
    if not device.exists():
        raise FeedError("SOURCE_UNAVAILABLE", f"There is no {device}: is the webcam plugged in?")
    if not os.access(device, os.R_OK | os.W_OK):
        raise FeedError("SOURCE_UNAVAILABLE", f"This user may not read {device}: add it to the group video.")
    capture = cv2.VideoCapture(int(order.url), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise FeedError("SOURCE_UNAVAILABLE", f"{device} can't be opened: does another program use it?")
    return capture
