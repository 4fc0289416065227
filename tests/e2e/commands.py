"""The commands in processes of their own, with a made-up detector, and a receiver that keeps what arrives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret
from tests.conftest import ROOT

SECRET = new_secret()

SCRIPTED = """
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.cli.workers import two_workers
app(obj=lambda settings: FakeDetector(two_workers))
"""
"""`ppe` with a detector that sees two workers on every picture, one of them without a vest."""


@contextmanager
def ppe(store: Path, *arguments: object, script: str = SCRIPTED, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command; its store lies in `store`, the endpoints' secret is in HOOK_SECRET. It is killed at the end."""
    environment = {"PYTHONPATH": str(ROOT), "PPE_STORE": str(store), "HOOK_SECRET": SECRET, **settings}
    process = subprocess.Popen(
        [sys.executable, "-c", script, *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@contextmanager
def receiving() -> Iterator[tuple[Receiver, list[Arrival]]]:
    """Receive webhooks that are signed with SECRET."""
    arrivals: list[Arrival] = []
    receiver = Receiver(SECRET, 0, arrivals.append)
    thread = threading.Thread(target=receiver.run)
    thread.start()
    try:
        yield receiver, arrivals
    finally:
        receiver.stop()
        thread.join()
        receiver.close()


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    ends = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < ends:
        time.sleep(0.05)
    return held


def types(arrivals: list[Arrival]) -> list[str]:
    return [str(arrival.event["type"]) for arrival in arrivals if arrival.event]


def site_file(folder: Path, source: object, port: int) -> Path:
    """Write a site file with one camera and one endpoint."""
    path = folder / "site.yaml"
    path.write_text(
        f"cameras:\n  gate:\n    source: {source}\n"
        f"endpoints:\n  here:\n    url: http://127.0.0.1:{port}/\n    secret_env: HOOK_SECRET\n    lan: true\n",
        encoding="utf-8",
    )
    return path
