"""Starting the RTSP test camera for a test, or saying why it can't be."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rtsp.clips import make_clip

SERVER = Path(__file__).with_name("server.py")
PYTHON = "/usr/bin/python3"
_NEEDS = "import gi; gi.require_version('GstRtspServer', '1.0')"


def make_clips(folder: Path) -> Path:
    """Make the H.264 clip, or skip when ffmpeg or GStreamer's RTSP server is not installed."""
    if missing := missing_for_rtsp():
        pytest.skip(missing)
    make_clip(folder / "a.h264", frames=60)
    return folder


def missing_for_rtsp() -> str:
    """Say what is not installed that the camera needs, or ""."""
    if not shutil.which("ffmpeg"):
        return "needs ffmpeg on the PATH"
    if not shutil.which(PYTHON) or subprocess.run([PYTHON, "-c", _NEEDS], capture_output=True, check=False).returncode:
        return "needs python3-gi and gir1.2-gst-rtsp-server-1.0 with GStreamer's plugins for /usr/bin/python3"
    return ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def rtsp_camera(clips: Path, port: int, *options: str, within: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """Serve rtsp://127.0.0.1:PORT/h264 from a process of its own, which a command like ``ip netns exec`` may start."""
    command = [*within, PYTHON, str(SERVER), "--dir", str(clips), "--port", str(port), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        assert server.stdout.readline().startswith("ready")
        yield server
    finally:
        server.kill()
        server.wait()
        if server.stdout:
            server.stdout.close()
