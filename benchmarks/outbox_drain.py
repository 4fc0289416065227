"""How fast does a long queue leave, and does memory stay flat meanwhile?

    python -m benchmarks.outbox_drain [--messages 100000] [--cameras 10] [--endpoints 1] [--out FILE]

A store is filled with messages of the size of an alert, then the real courier and sender deliver them to a receiver of
its own process over loopback, each signed, a camera's one after another. Memory is this process's resident set, read
once a second; its slope is a least-squares line over the drain.

Prints JSON; exits with 1 when a message is lost or doubled, or fewer than 200 a second leave for an endpoint.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil

from benchmarks.figures import tell
from service.delivery.courier import Courier
from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from service.events import Origin, alert_message
from service.ports import Attempt, Message, Sender
from service.safety.alerts import Alert, AlertChange
from service.safety.moment import Moment
from service.safety.site import Scene
from service.store.store import Store
from service.telemetry import configure_logging
from service.worker.clock import SystemClock

LEAST = 200.0
"""Messages a second that have to leave for each endpoint."""
AT_ONCE = 500
"""Messages that are recorded in one transaction."""
EVERY = 1.0
"""Seconds between two looks at the memory."""


def receive(pipe: Connection) -> None:
    """Take webhooks until told to stop; say the port first and the ids, each as often as it came, last."""
    taken: Counter[str] = Counter()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:  # the sender left
                writer.close()
                return
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            await reader.readexactly(int(fields[b"content-length"]))
            taken[fields[b"webhook-id"].decode()] += 1
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())
    pipe.send(taken)


@contextmanager
def receiver() -> Iterator[tuple[int, Connection]]:
    """Run a receiver; gives its port and the pipe that ends it."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=receive, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv(), here
    finally:
        process.join(10)
        process.kill()


class Counted:
    """A sender that counts what was taken, and says when that is enough."""

    def __init__(self, sender: Sender, enough: int) -> None:
        self._sender, self._enough = sender, enough
        self.done = 0
        self.finished = threading.Event()

    def send(self, message: Message) -> Attempt:
        attempt = self._sender.send(message)
        self.done += attempt.done
        if self.done >= self._enough:
            self.finished.set()
        return attempt


def fill(store: Store, count: int, cameras: int) -> None:
    """Record messages of so many alerts, in turn of so many cameras."""
    origins = [Origin(Scene(camera=f"camera-{number}"), "North gate", "Plant 4") for number in range(cameras)]
    for first in range(0, count, AT_ONCE):
        store.record([], [], [_message(number, origins) for number in range(first, min(first + AT_ONCE, count))])


def _message(number: int, origins: list[Origin]) -> Message:
    origin, at = origins[number % len(origins)], Moment(float(number), 1_750_000_000_000 + number)
    camera = origin.scene.camera
    box = (10.0, 20.0, 110.0, 320.0)
    alert = Alert(f"{number:016x}", camera, f"p{number}", "yard", "helmet", "high", at, at, at, box)
    return alert_message(AlertChange("fired", alert, at), origin, 1280, 720)


def measure(count: int, cameras: int, endpoints: int) -> dict[str, object]:
    clock, secret, process = SystemClock(), new_secret(), psutil.Process()
    names = [f"hook-{number}" for number in range(endpoints)]
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder, receiver() as (port, pipe):
        with Store(Path(folder) / "store", names) as store:
            fill(store, count, cameras)
            hooks = [WebhookSender(f"http://127.0.0.1:{port}/{name}", secret, clock, lan=True) for name in names]
            senders = {name: Counted(hook, count) for name, hook in zip(names, hooks, strict=True)}
            courier = Courier(store, senders, clock)
            thread = threading.Thread(target=courier.run, args=(stop,))
            began, memory = time.monotonic(), []
            thread.start()
            while not all(sender.finished.is_set() for sender in senders.values()):
                memory.append((time.monotonic() - began, process.memory_info().rss))
                next(iter(senders.values())).finished.wait(EVERY)
            seconds = time.monotonic() - began
            memory.append((seconds, process.memory_info().rss))
            stop.set()
            courier.wake()
            thread.join()
            left = sum(backlog.pending for backlog in store.backlog().values())
            for hook in hooks:
                hook.close()
        pipe.send("stop")
        taken: Counter[str] = pipe.recv()
    moments, sizes = np.array(memory).T
    slope = float(np.polyfit(moments, sizes, 1)[0]) if len(memory) > 2 else 0.0
    return {
        "messages": count,
        "cameras": cameras,
        "endpoints": endpoints,
        "seconds": round(seconds, 2),
        "messages_per_s": round(count / seconds, 1),
        "rss_mib_first": round(sizes[0] / 2**20, 1),
        "rss_mib_most": round(sizes.max() / 2**20, 1),
        "rss_mib_last": round(sizes[-1] / 2**20, 1),
        "rss_kib_per_1000_messages": round(slope * seconds / count * 1000 / 1024, 1),
        "lost": count - sum(times == endpoints for times in taken.values()),
        "doubled": sum(max(0, times - endpoints) for times in taken.values()),
        "left": left,
    }


def sound(result: dict[str, object]) -> bool:
    return not any(result[fault] for fault in ("lost", "doubled", "left")) and result["messages_per_s"] >= LEAST  # type: ignore[operator]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--cameras", type=int, default=10)
    parser.add_argument("--endpoints", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    configure_logging("critical", "console")
    result = measure(options.messages, options.cameras, options.endpoints)
    tell(result, options.out)
    return 0 if sound(result) else 1


if __name__ == "__main__":
    sys.exit(main())
