"""Is an alert lost or doubled when the process is killed? kill -9 of the core, and of the whole service.

    python -m benchmarks.kills [--core 1000] [--service 50] [--seed 1] [--out FILE]

**core**: store, watch and courier on a made film with a made-up detector (`benchmarks.core`), in a process that is
killed at a random moment of its first third of a second and followed by the next one, with the film where it was.
**service**: `ppe serve --site` with a made-up detector on a real RTSP camera (a looped film) is killed at a random
moment within eight seconds of its first picture, or while it starts, and started again. Both post signed webhooks to
a receiver here. After the last kill what waits is delivered, and the store is compared with all that was committed (as
the core said; as the service's database held after each kill) and with everything that was received. `python -m
benchmarks.kill_store` tries the store alone, with pictures.

Prints JSON; exits with 1 when something that was committed is lost, an alert fired twice or was told under a second
id, an episode of the film became two alerts, the database is damaged, or a decoder process outlived its service.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks.clips import moving
from benchmarks.core import ENDPOINT, episode_of, live
from benchmarks.figures import tell
from benchmarks.ledgers import compared, read, spotless
from benchmarks.processes import ROOT, free_port
from service.delivery.courier import Courier
from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from service.store.store import Store
from service.telemetry import configure_logging
from service.worker.clock import SystemClock
from tests.rtsp.camera import missing_for_rtsp, rtsp_camera

CORE_LIVES = (0.0, 0.35)
"""Seconds after the first frame of a core's life at which it is killed; one in ten is killed while it starts."""
SERVICE_LIVES = (0.0, 8.0)
"""Seconds after its first picture at which a service is killed; one in five is killed after the same time since it
listens, picture or not."""

SCRIPTED = """
import time
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.safety.films import worker
from tests.safety.scenes import scene

def see(image):
    bare = time.time() % 14 < 5
    seen = worker(x=60, y=20, vest="no-vest" if bare else "vest")
    return scene(*seen, width=image.shape[1], height=image.shape[0])

app(obj=lambda settings: FakeDetector(see))
"""


@dataclass
class Inbox:
    """What a receiver took, and how often."""

    times: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    def take(self, arrival: Arrival) -> None:
        if arrival.status == 200:
            self.times[arrival.id] += 1
        else:
            self.refused += 1

    def told(self) -> dict[str, int]:
        return {
            "received": len(self.times),
            "sent_again": self.times.total() - len(self.times),
            "refused": self.refused,
        }


@contextmanager
def receiving(inbox: Inbox) -> Iterator[tuple[int, str]]:
    secret = new_secret()
    receiver = Receiver(secret, 0, inbox.take)
    thread = threading.Thread(target=receiver.run)
    thread.start()
    try:
        yield receiver.port, secret
    finally:
        receiver.stop()
        thread.join()
        receiver.close()


def _told_life(folder: Path, port: int, secret: str, first: int, pipe: Connection) -> None:
    configure_logging("critical", "console")
    live(folder, port, secret, first, lambda line: pipe.send_bytes(json.dumps(line).encode()))


def core(folder: Path, kills: int, chance: random.Random) -> dict[str, object]:
    inbox, began = Inbox(), time.monotonic()
    alerts: list[str] = []
    messages: list[str] = []
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["__main__", "benchmarks.core", "trackers", "alembic.command"])  # a life is a fork
    Store(folder, [ENDPOINT]).close()  # a first opening makes the tables
    frame = 0
    with receiving(inbox) as (port, secret):
        for _ in range(kills):
            ours, theirs = processes.Pipe(duplex=False)
            life = processes.Process(target=_told_life, args=(folder, port, secret, frame, theirs))
            life.start()
            theirs.close()
            wait = chance.uniform(*CORE_LIVES)
            if chance.random() > 0.1 and not ours.poll(60):
                raise RuntimeError("the core does not begin")
            ends = time.monotonic() + wait
            while (left := ends - time.monotonic()) > 0:
                if ours.poll(left):
                    frame = _heard(ours, frame, alerts, messages)
            if not life.is_alive():
                raise RuntimeError("the core ended by itself, see above")
            life.kill()
            life.join()
            while _holds(ours):
                frame = _heard(ours, frame, alerts, messages)
            ours.close()
        deliver(folder, port, secret)
    kept = read(folder)
    episodes = Counter(episode_of(since) for since in kept.since.values())
    found = compared(kept, alerts, messages, inbox.times)
    doubled = sum(many - 1 for many in episodes.values())
    return {
        "kills": kills,
        "film_s": round(frame / 5),
        "episodes_with_two_alerts": doubled,
        **found,
        **inbox.told(),
        "seconds": round(time.monotonic() - began, 1),
        "sound": spotless(found) and not doubled,
    }


def _holds(pipe: Connection) -> bool:
    try:
        return pipe.poll()
    except OSError:
        return False


def _heard(pipe: Connection, frame: int, alerts: list[str], messages: list[str]) -> int:
    """Take one line; return where the film is. A line that was cut off by the kill ends the pipe."""
    try:
        line = json.loads(pipe.recv_bytes())
    except (EOFError, OSError):
        time.sleep(0.001)
        pipe.close()
        return frame
    if "committed" in line:
        alerts += line["committed"]
        messages += line["messages"]
    return int(line.get("at", frame))


def deliver(folder: Path, port: int, secret: str) -> None:
    clock = SystemClock()
    with Store(folder, [ENDPOINT]) as store:
        sender = WebhookSender(f"http://127.0.0.1:{port}/", secret, clock, lan=True)
        courier = Courier(store, {ENDPOINT: sender}, clock)
        ends = time.monotonic() + 120
        while store.backlog()[ENDPOINT].pending and time.monotonic() < ends:
            if not courier.deliver_due():
                time.sleep(0.2)
        courier.close()
        sender.close()


def service(folder: Path, kills: int, chance: random.Random) -> dict[str, object]:
    inbox, began = Inbox(), time.monotonic()
    alerts: set[str] = set()
    messages: set[str] = set()
    orphans, lives = 0, 0
    starts: list[float] = []
    moving(folder / "a.h264", 320, 180, 10)
    camera = free_port()
    with receiving(inbox) as (port, secret), rtsp_camera(folder, camera, "--fps", "10"):
        site = folder / "site.yaml"
        site.write_text(
            f"cameras:\n  gate: rtsp://127.0.0.1:{camera}/h264\n"
            f"endpoints:\n  {ENDPOINT}:\n    url: http://127.0.0.1:{port}/\n"
            "    secret_env: KILLS_SECRET\n    lan: true\n",
            encoding="utf-8",
        )
        for _ in range(kills):
            started = time.monotonic()
            process = _serve(site, folder, secret)
            starts.append(time.monotonic() - started)
            wait = chance.uniform(*SERVICE_LIVES)
            if chance.random() > 0.2:
                lives += 1
                _awaited_pictures(folder / "service.log", lives)
            time.sleep(wait)
            lives = _pictures(folder / "service.log")
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            _, alive = psutil.wait_procs(children, 5)
            orphans += len(alive)
            kept = read(folder / "store")
            alerts.update(kept.fired)
            messages.update(kept.messages)
        deliver(folder / "store", port, secret)
    found = compared(read(folder / "store"), alerts, messages, inbox.times)
    return {
        "kills": kills,
        **found,
        **inbox.told(),
        "decoders_that_outlived_it": orphans,
        "seconds_to_start_median": round(sorted(starts)[len(starts) // 2], 2),
        "seconds": round(time.monotonic() - began, 1),
        "sound": spotless(found) and not orphans,
    }


def _serve(site: Path, folder: Path, secret: str) -> subprocess.Popen[str]:
    """Start `ppe serve` and wait until it listens."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PPE_STORE": str(folder / "store"), "KILLS_SECRET": secret}
    with (folder / "service.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPTED, "serve", "--port", "0", "--site", str(site)],
            env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert process.stdout
    if not re.match("Listening on", said := process.stdout.readline()):
        process.kill()
        raise RuntimeError(f"the service did not start: {said} {(folder / 'service.log').read_text()[-2000:]}")
    process.stdout.close()
    return process


def _pictures(log: Path) -> int:
    """Return how often a camera went live, as the services' log says."""
    return log.read_text(encoding="utf-8").count("camera.live")


def _awaited_pictures(log: Path, times: int) -> None:
    ends = time.monotonic() + 60
    while _pictures(log) < times:
        if time.monotonic() > ends:
            raise RuntimeError(f"the camera gives no pictures: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=int, default=1000, help="kills of the core")
    parser.add_argument("--service", type=int, default=50, help="kills of the whole service, beside it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.service and (missing := missing_for_rtsp()):
        parser.error(missing)
    configure_logging("error", "console")
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        folder, parts = Path(temporary), {}
        if options.core:
            parts["core"] = pool.submit(core, folder / "core", options.core, random.Random(options.seed))
        if options.service:
            (folder / "service").mkdir()
            parts["service"] = pool.submit(service, folder / "service", options.service, random.Random(options.seed))
        result: dict[str, object] = {name: part.result() for name, part in parts.items()}
    result["sound"] = all(part["sound"] for part in result.values())  # type: ignore[index]
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
