"""Servers under test, each a process of its own whose CPU and memory are read from outside."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil

from service.detectors.manifest import read_weights

ROOT = Path(__file__).parent.parent


class Server:
    """A started server that answers on 127.0.0.1:`port`."""

    def __init__(self, command: list[str], port: int) -> None:
        begun = time.perf_counter()
        self.port = port
        self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PPE_LOG_LEVEL": "warning"})
        while not self._ready():
            if self._process.poll() is not None or time.perf_counter() - begun > 60:
                self.close()
                raise RuntimeError(f"{command} did not get ready")
            time.sleep(0.02)
        self.seconds_to_ready = time.perf_counter() - begun

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def cpu(self) -> float:
        """Return CPU seconds of the process so far, user and system."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def resident(self) -> int:
        """Return resident memory in bytes."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def maps(self, name: str) -> bool:
        """Tell whether a library whose path holds `name` is loaded into the process."""
        return any(name in mapped.path for mapped in psutil.Process(self._process.pid).memory_maps())

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service() -> Server:
    """Start the installed service as a user would."""
    port = free_port()
    return Server([str(Path(sys.executable).with_name("ppe")), "serve", "--port", str(port)], port)


def naive(manifest: Path) -> Server:
    """Start the naive endpoint on the same weights' .pt."""
    port = free_port()
    return Server([sys.executable, "-m", "benchmarks.naive", str(read_weights(manifest, "pt").path), str(port)], port)
