"""A service as others reach it: its own process, with an API key, a watched film, an alert of it and an endpoint."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.processes import free_port
from service.delivery.signing import new_secret
from tests.pictures.films import film

ROOT = Path(__file__).parent.parent
MADE_UP = """
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.cli.workers import two_workers
app(obj=lambda settings: FakeDetector(two_workers))
"""
"""`ppe` with a detector that sees two workers on every picture, one of them without a vest, at no cost."""
SITE = """\
cameras:
  north:
    source: {film}
endpoints:
  safety-office:
    url: http://127.0.0.1:{port}/
    secret_env: HOOK_SECRET
    lan: true
"""


@dataclass(frozen=True, slots=True)
class Exposed:
    """A running service.

    Attributes:
        url: where it listens.
        token: a key with every scope.
        process: its process.
        log: where its log lines go.
    """

    url: str
    token: str
    process: psutil.Process
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.login, timeout=60)

    def resident(self) -> int:
        """Return resident memory in bytes."""
        return int(self.process.memory_info().rss)


@contextmanager
def exposed(folder: Path, *, watching: bool = True, real: bool = False, **settings: object) -> Iterator[Exposed]:
    """Run a service in a folder until the context ends.

    Args:
        watching: whether it watches a film, which is over once this begins, with an alert.
        real: whether the project's own model looks at the pictures, instead of a made-up one.
        settings: of the service, by their names in lower case.
    """
    token, port, log = secrets.token_hex(32), free_port(), folder / "service.log"
    (folder / "key").write_text(token, encoding="ascii")
    said = {"admin_key_file": folder / "key", "store": folder / "store", "log_level": "warning", **settings}
    environment = {f"PPE_{name.upper()}": str(value) for name, value in said.items()}
    environment |= {"PYTHONPATH": str(ROOT), "HOOK_SECRET": new_secret()}
    arguments = ["serve", "--port", str(port)]
    if watching:
        site = folder / "site.yaml"
        watched = film(folder / "yard.mp4", pictures=60, rate=10)
        site.write_text(SITE.format(film=watched, port=free_port()), encoding="utf-8")
        arguments += ["--site", str(site)]
    with log.open("wb") as lines:
        command = [str(Path(sys.executable).with_name("ppe"))] if real else [sys.executable, "-c", MADE_UP]
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env={**os.environ, **environment}, stdout=lines, stderr=lines
        )
        try:
            found = Exposed(f"http://127.0.0.1:{port}", token, psutil.Process(process.pid), log)
            _wait(found, process, watching)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(service: Exposed, process: subprocess.Popen[bytes], watching: bool) -> None:
    """Wait until it is ready, and until the film has had its alert."""
    ends = time.monotonic() + 120
    with service.client() as client:
        while time.monotonic() < ends and process.poll() is None:
            try:
                ready = client.get("/readyz").status_code == 200
                if ready and (not watching or client.get("/v1/alerts?status=ended").json()["alerts"]):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    raise RuntimeError(f"the service did not get ready: {service.log.read_text(encoding='utf-8')[-2000:]}")
