"""The decoder process of one camera: ``python -m service.cameras.decoder FD``, started by `child`.

A camera that falls silent blocks a read for many seconds, and a read can't be interrupted from another thread without
a crash; a process can be killed. It takes its order from the socket FD, hands pictures out through a mailbox, and ends
with the first fault: its parent decides when to try again. It also ends when its parent does.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.cameras.feeds import Feed, open_feed
from service.cameras.mailbox import Mailbox, NoRoom
from service.cameras.orders import Fault, FeedError, Order
from service.cameras.pace import Pace

MEMORY: Final = 2 * 2**30  # of address space; a camera of 640x360 takes 0.6 GiB of it and 0.1 GiB of real memory


def main(descriptor: int) -> None:
    """Carry out the order that arrives on a socket, tell how it ended, and leave."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the password
    with contextlib.suppress(ValueError):  # a lower limit stands already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who stops a service may signal its whole group: the service drains
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    link = socket.socket(fileno=descriptor)
    order = Order.decoded(link.recv(65_536))
    threading.Thread(target=_leave_with_parent, args=(link, os.getppid()), daemon=True).start()
    _tell(link, {"kind": "started"})
    try:
        fault = watch(open_feed(order), order.fps, link)
    except FeedError as error:
        fault = error.fault
    except NoRoom as error:
        fault = Fault("DECODER_CRASHED", f"{error}.")
    except MemoryError:
        fault = Fault("DECODER_CRASHED", "There is too little memory for the pictures of this camera.")
    except Exception as error:  # noqa: BLE001 - its text may quote the address; its name can't
        fault = Fault("DECODER_CRASHED", f"The decoder failed: {type(error).__name__}.")
    _tell(link, {"kind": "fault", "code": fault.code, "detail": fault.detail})
    os._exit(0)  # an open capture may take seconds to release


def watch(feed: Feed, fps: float, link: socket.socket) -> Fault:
    """Hand out pictures until the feed ends. Only what is asked for is decoded into the mailbox.

    Raises:
        FeedError: the feed went bad.
        NoRoom: there is too little memory for its pictures.
    """
    pace, mailbox, number, damaged = Pace(fps), None, 0, False
    while feed.grab():
        now = time.monotonic()
        number += 1
        wanted = pace.takes(now)
        if wanted or mailbox is None:
            image = feed.retrieve(mailbox.room() if mailbox else None)
            damaged = image is None or not image.size
            if image is not None and image.size:
                mailbox = _published(image, mailbox, number, now, link)
        if mailbox and not damaged:
            mailbox.beat(number, now)
    return Fault("STREAM_LOST", "The camera ended the stream.")


def _published(
    image: NDArray[np.uint8], mailbox: Mailbox | None, number: int, now: float, link: socket.socket
) -> Mailbox:
    height, width = image.shape[:2]
    if mailbox is None or (mailbox.width, mailbox.height) != (width, height):
        if mailbox:
            mailbox.close()
        mailbox = Mailbox.made(width, height)
        _tell(link, {"kind": "mailbox", "width": width, "height": height}, [mailbox.memory, mailbox.bell])
    room = mailbox.room()
    if not np.shares_memory(image, room):
        np.copyto(room, image)
    mailbox.beat(number, now)
    mailbox.publish(number, now)
    return mailbox


def _tell(link: socket.socket, message: dict[str, object], descriptors: list[int] | None = None) -> None:
    with contextlib.suppress(OSError):  # the parent is gone, and so are we in a moment
        socket.send_fds(link, [json.dumps(message).encode()], descriptors or [])


def _leave_with_parent(link: socket.socket, parent: int) -> None:
    """End the process when the parent closes the socket or is no more, even while a read blocks."""
    link.settimeout(None)
    poller = select.poll()
    poller.register(link, 0)
    while not poller.poll(1000) and os.getppid() == parent:
        pass
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
