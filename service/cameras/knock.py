"""A camera that is not there is asked for by a connection, not by a process: only one that answers costs a decoder.

A decoder's start takes about a third of a second of a core, and the outage of a switch many cameras at once: a process
for each of them every few seconds would take the cores from those that are still there.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from service.addresses import is_ip
from service.cameras.address import SCHEMES
from service.cameras.child import Decoder, Silence
from service.cameras.mailbox import Taken
from service.cameras.orders import Fault, Order
from service.cameras.reach import blamed, may_open


def knocking(order: Order, launch: Callable[[], Decoder]) -> Decoder:
    """Return a decoder that starts once its camera's port answers.

    One that is named, or may not be opened, is left to the decoder process: a look-up can't be interrupted.

    Args:
        launch: starts the decoder process.
    """
    parts = urlsplit(order.url)
    host = parts.hostname or ""
    if order.kind == "usb" or not is_ip(host) or not may_open(host, loopback=order.loopback):
        return launch()
    return Knocking((host, parts.port or SCHEMES[parts.scheme]), order.open_s, launch)


class Knocking:
    """Connects, and then is the decoder that it launches.

    Args:
        place: IP address and port.
        patience: seconds that connecting may take.
    """

    def __init__(self, place: tuple[str, int], patience: float, launch: Callable[[], Decoder]) -> None:
        self._launch = launch
        self._patience = patience
        self._began = time.monotonic()
        self._decoder: Decoder | None = None
        self._link: socket.socket | None = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
        self._link.setblocking(False)
        self._refused = self._link.connect_ex(place)

    def poll(self, wait: float) -> Taken | Fault | None:
        """Return what the decoder says; before it runs, None after `wait` seconds or once the camera answered."""
        if self._decoder:
            return self._decoder.poll(wait)
        return self._knock(wait)

    def silence(self) -> Silence:
        """Tell when it last made progress."""
        return self._decoder.silence() if self._decoder else Silence("starting", time.monotonic() - self._began)

    @property
    def frames(self) -> int:
        """How many frames were decoded."""
        return self._decoder.frames if self._decoder else 0

    @property
    def cpu_seconds(self) -> float:
        """Seconds of a core that the decoder has taken."""
        return self._decoder.cpu_seconds if self._decoder else 0.0

    def stop(self) -> None:
        """End it. Idempotent."""
        self._hang_up()
        if self._decoder:
            self._decoder.stop()

    def _knock(self, wait: float) -> Fault | None:
        if self._refused in {0, errno.EINPROGRESS}:
            left = self._patience - (time.monotonic() - self._began)
            if left <= 0:
                self._refused = errno.ETIMEDOUT
            elif not self._answered(min(wait, left)):
                return None
        self._hang_up()
        if self._refused:
            return blamed(OSError(self._refused, os.strerror(self._refused))).fault  # a refusal is an error of its kind
        try:
            self._decoder = self._launch()
        except OSError as error:  # no processes, descriptors or memory left: that may pass
            return Fault("DECODER_CRASHED", f"The decoder can't be started: {error.strerror}.")
        return None

    def _answered(self, wait: float) -> bool:
        """Wait for the end of connecting; return whether it came, and note how it ended."""
        if self._link is None:
            return True
        poller = select.poll()
        poller.register(self._link, select.POLLOUT)
        if not poller.poll(int(wait * 1000) + 1):
            return False
        self._refused = self._link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return True

    def _hang_up(self) -> None:
        if self._link:
            self._link.close()
            self._link = None
