"""Is anything lost, doubled or out of order when a receiver is away for ten minutes?

    python -m benchmarks.outage [--minutes 10] [--cameras 3] [--out FILE]

Workers at several cameras take helmets off and put them on again, for two minutes more than the receiver is away. The
real store keeps the alerts, the real courier and sender deliver them over loopback, on a clock that is moved by hand.
While it is away, from the start, nothing listens on the receiver's port (the library that verifies has a clock of its
own and refuses what is five minutes off, so not much more than the outage fits). The receiver is a plain HTTP server
that verifies with the `standardwebhooks` library. Then the clock goes on until the outbox is empty.

Prints JSON; exits with 1 when an event is lost, arrives twice, out of its camera's order, or fails verification.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook

from benchmarks.figures import tell
from benchmarks.processes import free_port
from service.delivery.courier import Courier
from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from service.events import Origin, alert_message
from service.ports import Message
from service.safety.moment import Moment
from service.safety.monitor import Monitor
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from service.store.store import Store
from service.telemetry import configure_logging
from tests.safety.films import NearestTracker, worker
from tests.safety.scenes import Row, scene

STEP = 0.5
"""Seconds from one look at the cameras and the outbox to the next."""
PERIOD = 40.0
"""Seconds of one worker's round: half of it without a helmet."""


class MovedClock:
    """A clock that is moved by hand. It ends near the present: receivers refuse signatures older than five minutes."""

    def __init__(self, began_ms: int) -> None:
        self.seconds = 0.0
        self._began_ms = began_ms

    def now(self) -> Moment:
        return Moment(self.seconds, self._began_ms + round(1000 * self.seconds))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Inbox:
    """What the receiver got: (message id, camera) in order of arrival, and how much failed to verify."""

    def __init__(self, secret: str, port: int) -> None:
        self._webhook = Webhook(secret)
        self._port = port
        self.arrived: list[tuple[str, str]] = []
        self.unverified = 0

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            event = self._webhook.verify(body, headers)
        except Exception:  # noqa: BLE001 - whatever the library says, it did not verify
            self.unverified += 1
            return 401
        self.arrived.append((headers["webhook-id"], event["data"]["camera"]["id"]))
        return 204

    @contextmanager
    def open(self) -> Iterator[None]:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(inbox.take(body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_header("content-length", "0")
                self.send_header("connection", "close")  # or a connection would outlive the server's going away
                self.end_headers()
                self.close_connection = True

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Cameras:
    """Made-up cameras, each with one worker; gives what changed since the last look."""

    def __init__(self, count: int) -> None:
        self._monitors = {
            name: (Monitor(Scene(camera=name), Thresholds(), NearestTracker()), Origin(Scene(camera=name)), 7.0 * index)
            for index, name in enumerate(f"camera-{number}" for number in range(count))
        }

    def record(self, store: Store, at: Moment) -> list[Message]:
        """Look once and record what changed; return its messages."""
        told = []
        for monitor, origin, shift in self._monitors.values():
            seen = scene(*self._look(at.seconds + shift))
            changes = monitor.observe(seen, at).alerts
            messages = [alert_message(change, origin, seen.width, seen.height) for change in changes]
            store.record(changes, [], messages)
            told += messages
        return told

    def _look(self, seconds: float) -> list[Row]:
        return worker(helmet="no-helmet" if seconds % PERIOD < PERIOD / 2 else "helmet")


def measure(minutes: float, cameras: int) -> dict[str, object]:
    away, until = 60 * minutes, 60 * minutes + 120
    clock = MovedClock(time.time_ns() // 1_000_000 - round(1000 * (until - 60)))
    secret, port = new_secret(), free_port()
    inbox, sent = Inbox(secret, port), list[Message]()
    failed = 0
    caught_up: float | None = None
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "store", ["hook"], clock=clock) as store:
        sender = WebhookSender(f"http://127.0.0.1:{port}/", secret, clock, lan=True)
        courier = Courier(store, {"hook": sender}, clock)
        watched = Cameras(cameras)

        def go_on(end: float) -> None:
            nonlocal failed, caught_up
            while clock.seconds < end:
                if clock.seconds < until:
                    sent.extend(watched.record(store, clock.now()))
                before = len(inbox.arrived)
                attempts = courier.deliver_due()
                failed += attempts - (len(inbox.arrived) - before)
                if clock.seconds >= away and caught_up is None and not store.backlog()["hook"].pending:
                    caught_up = clock.seconds - away
                clock.sleep(STEP)

        go_on(away)
        waiting = store.backlog()["hook"].pending
        with inbox.open():
            go_on(until)
            while store.backlog()["hook"].pending and clock.seconds < until + 3600:
                go_on(clock.seconds + STEP)
        dead = store.backlog()["hook"].dead
        courier.close()
        sender.close()
    return {
        "away_s": away,
        "cameras": cameras,
        "events": len(sent),
        "waiting_when_it_came_back": waiting,
        "failed_attempts": failed,
        "caught_up_after_s": caught_up,
        **judged(sent, inbox, dead),
    }


def judged(sent: list[Message], inbox: Inbox, dead: int) -> dict[str, object]:
    ids = [name for name, _ in inbox.arrived]
    cameras = {message.camera for message in sent}
    order = {camera: [message.id for message in sent if message.camera == camera] for camera in cameras}
    came = {camera: [name for name, place in inbox.arrived if place == camera] for camera in order}
    faults = {
        "lost": len({message.id for message in sent} - set(ids)),
        "doubled": len(ids) - len(set(ids)),
        "strange": len(set(ids) - {message.id for message in sent}),
        "cameras_out_of_order": sum(came[camera] != order[camera] for camera in order),
        "unverified": inbox.unverified,
        "dead": dead,
    }
    return {"arrived": len(ids), **faults, "sound": bool(sent) and not any(faults.values())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the receiver is away")
    parser.add_argument("--cameras", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    configure_logging("critical", "console")
    result = measure(options.minutes, options.cameras)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
