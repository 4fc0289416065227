"""A real MQTT broker on this machine, started, stopped and started again by tests; and somebody who listens."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(BINARY is None, reason="needs mosquitto, which is not installed")


class Mosquitto:
    """A broker that keeps what is retained over its restarts, as long as it is stopped and not killed."""

    def __init__(self, folder: Path, *more: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.address = ("127.0.0.1", self.port)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", *(more or ["allow_anonymous true"])]
        self._config.write_text(
            "\n".join([*lines, f"persistence_location {folder}/", "persistence true", "user root\n"])
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        assert BINARY
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([BINARY, "-c", str(self._config)], stdout=quiet, stderr=quiet)
        until(self._listens)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Listener:
    """Subscribes to everything and keeps it."""

    def __init__(self, port: int) -> None:
        self.heard: list[MQTTMessage] = []
        self._ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, clean_session=False, client_id=f"listener-{id(self)}")
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = lambda _, __, message: self.heard.append(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(10)

    def last(self, topic: str) -> bytes | None:
        return next((one.payload for one in reversed(self.heard) if one.topic == topic), None)

    def all(self, topic: str) -> list[bytes]:
        return [one.payload for one in self.heard if one.topic == topic]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def until(ready: Callable[[], object], seconds: float = 20) -> None:
    """Look again and again until something is so."""
    ends = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)
