"""An HTTP camera on loopback, with faults on demand."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


def jpeg(width: int, height: int, shade: int = 128) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), shade, np.uint8))[1].tobytes()


def alive(width: int, height: int, pictures: int = 20) -> list[bytes]:
    """Pictures of one place as a sensor takes them: each with noise of its own, so that none is a copy."""
    random = np.random.default_rng(5)
    place = cv2.resize(random.integers(0, 255, (9, 12, 3), np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    noisy = (np.clip(place + random.normal(0, 4, place.shape), 0, 255).astype(np.uint8) for _ in range(pictures))
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in noisy]


@dataclass
class Camera:
    """What the camera sends: parts, one every `every` seconds, over and over or to the end; then silence or the end."""

    parts: list[bytes] = field(default_factory=lambda: [jpeg(64, 48)])
    every: float = 0.02
    loops: bool = True
    silent_after: bool = False
    lengths: bool = True
    content: str = "multipart/x-mixed-replace; boundary=--shot"
    login: tuple[str, str] | None = None
    status: int = 200
    location: str = ""
    hits: int = 0
    port: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video?channel=1"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        camera: Camera = self.server.camera  # type: ignore[attr-defined]
        camera.hits += 1
        expected = "Basic " + base64.b64encode(":".join(camera.login or ()).encode()).decode()
        if camera.login and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(camera.status)
        if camera.location:
            self.send_header("Location", camera.location)
        self.send_header("Content-Type", camera.content)
        self.end_headers()
        with suppress(OSError):
            self._send(camera)
        self.close_connection = True

    def _send(self, camera: Camera) -> None:
        first = True
        while (camera.loops or first) and not camera.gone.is_set():
            first = False
            for part in camera.parts:
                length = f"Content-Length: {len(part)}\r\n" if camera.lengths else ""
                self.wfile.write(f"--shot\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + part + b"\r\n")
                if camera.gone.wait(camera.every):
                    return
        if camera.silent_after:
            camera.gone.wait(60)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def http_camera(camera: Camera) -> Iterator[Camera]:
    server = ThreadingHTTPServer(("127.0.0.1", camera.port), _Handler)
    server.daemon_threads = True
    server.camera = camera  # type: ignore[attr-defined]
    camera.port = server.server_address[1]
    camera.gone.clear()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.gone.set()
        server.shutdown()
        server.server_close()
