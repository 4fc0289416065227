"""Does any of many crafted addresses make the service connect, or open a file, where it must not? Listeners count.

    python -m benchmarks.forbidden [--out FILE]

Runs itself in a network namespace of its own (root, iproute2), whose loopback device holds every address that is asked
for: those of clouds' metadata, link-local, reserved and private ones. On each, listeners count connections on the
ports of webhooks and cameras. In turn, one after the other:

- **webhooks** to addresses that nobody has, that belong to this machine and to private networks (which need `lan`), in
  every spelling a resolver takes, and names that resolve to them;
- **cameras**: the same addresses by RTSP and HTTP, schemes and protocols of FFmpeg, a camera that redirects to such an
  address, playlists that name a file. A pipe stands for the file: it tells when somebody opens it;
- **pictures by URL**, posted to the running service in each of its shapes.

Prints JSON; exits with 1 when a listener or the pipe was touched.
"""

from __future__ import annotations

import argparse
import errno
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from benchmarks.exposed import exposed
from benchmarks.figures import tell
from service.cameras.address import SourceError
from service.cameras.opening import open_source
from service.delivery.signing import new_secret
from service.delivery.webhook import WebhookSender
from service.worker.clock import SystemClock
from tests.cameras.http_camera import Camera, http_camera
from tests.delivery.scripted import message

PORTS: Final = (80, 322, 443, 554, 8080)
NEVER: Final = (
    "169.254.169.254", "169.254.1.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "240.0.0.1", "0.0.0.0", "fd00:ec2::254", "fe80::1", "fec0::1", "2001:db8::1",
    "2002:7f00:1::1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "3fff::1", "5f00::1",
)  # fmt: skip
"""Addresses that neither a camera nor a receiver has."""
NEAR: Final = ("127.0.0.1", "127.9.9.9", "::1", "10.0.0.5", "172.16.0.1", "192.168.1.20", "100.64.0.1", "fd12:3456::1")
"""This machine and private networks: where cameras live, and receivers only with `lan`."""
SPELLED_NEVER: Final = (
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "169.254.169.254.", "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
)  # fmt: skip
SPELLED_HERE: Final = (
    "127.1", "0x7f.1", "2130706433", "017700000001", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "①②⑦.⓪.⓪.①", "0", "[::]",
)  # fmt: skip
SCHEMES: Final = (
    "file://{file}", "FILE:{file}", "concat:{file}|{file}", "concatf:{file}", "subfile,,start,0,end,9,,:{file}",
    "cache:file:{file}", "async:file:{file}", "crypto:file:{file}", "data:text/plain,{file}", "pipe:0", "fd:0",
    "tee:{file}", "lavfi:movie={file}", "ftp://127.0.0.1:8080/x", "gopher://127.0.0.1:8080/x", "smb://127.0.0.1/x",
    "rtmp://127.0.0.1:8080/x", "udp://127.0.0.1:8080", "tcp://127.0.0.1:8080", "tls://127.0.0.1:443", "srt://127.0.0.1:8080",
    "hls+http://127.0.0.1:8080/x", "rtsp://h|file:{file}", "rtsp://127.0.0.1\\@169.254.169.254/x",
)  # fmt: skip
"""What FFmpeg would open and no camera is."""
PLAYLISTS: Final = {
    "list.m3u8": "#EXTM3U\n#EXTINF:10,\n{file}\n#EXT-X-ENDLIST\n",
    "list.mp4": "#EXTM3U\n#EXTINF:10,\nfile://{file}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{file}'\n",
    "list.mkv": "ffconcat version 1.0\nfile '{file}'\n",
    "list.sdp": "v=0\no=- 0 0 IN IP4 169.254.169.254\nc=IN IP4 169.254.169.254\nm=video 8080 RTP/AVP 96\n",
    "list.avi": "v=0\no=- 0 0 IN IP4 169.254.169.254\nc=IN IP4 169.254.169.254\nm=video 8080 RTP/AVP 96\n",
}
"""Files that call themselves films and name others."""


class Listeners:
    """Count connections to every address of this namespace, on the ports that matter."""

    def __init__(self) -> None:
        self.touched: list[str] = []
        self._over = threading.Event()
        self._sockets = [_listening(family, port) for family in (socket.AF_INET, socket.AF_INET6) for port in PORTS]
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for one in self._sockets:
            one.close()

    def _count(self) -> None:
        while not self._over.is_set():
            for one in select.select(self._sockets, [], [], 0.1)[0]:
                link, _ = one.accept()
                self.touched.append("{}:{}".format(*link.getsockname()[:2]))
                link.close()


def _listening(family: socket.AddressFamily, port: int) -> socket.socket:
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    one.listen(64)
    return one


class Canary:
    """A named pipe in a file's place: an end that is written to can be opened only while somebody reads."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path, self.opened = path, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.002):
            try:
                os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
                self.opened += 1
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise


def webhooks() -> Iterator[tuple[str, bool]]:
    """Yield URLs of receivers, and whether the receiver may be in a private network."""
    hosts = [_host(one) for one in NEVER] + list(SPELLED_NEVER)
    for host in hosts:
        yield f"https://{host}/", False
        yield f"http://{host}:8080/", True
    for host in [_host(one) for one in NEAR] + list(SPELLED_HERE):
        yield f"https://{host}/", False
        yield f"https://user:pw@{host}:8080/x?y#z", False


def cameras(file: Path) -> Iterator[str]:
    """Yield sources of cameras."""
    for host in [_host(one) for one in NEVER] + list(SPELLED_NEVER):
        yield f"rtsp://{host}/live"
        yield f"http://{host}:8080/video.mjpg"
    for scheme in SCHEMES:
        yield scheme.format(file=file)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def deliver(url: str, *, lan: bool) -> None:
    """Try to send a message there."""
    with suppress(ValueError):  # refused before anything is sent
        WebhookSender(url, new_secret(), SystemClock(), lan=lan, deadline=3.0).send(message())


def watch(source: str, seconds: float = 3.0) -> None:
    """Watch a source until it says what is wrong with it."""
    try:
        opened = open_source(source, fps=5, clock=SystemClock())
    except SourceError:
        return
    try:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            event = opened.read(0.5)
            if getattr(event, "code", None):
                break
    finally:
        opened.close()


def posted(folder: Path) -> int:
    """Post URLs in the place of pictures to a running service; return how many."""
    urls = [f"http://{_host(host)}:8080/x.jpg" for host in (*NEVER[:6], *NEAR[:4])]
    with exposed(folder, watching=False) as service, service.client() as client:
        for url in urls:
            client.post("/v1/detect", json={"image": url})
            client.post("/v1/detect", data={"image": url})
            client.post("/infer/object_detection", json={"model_id": "ppe/1", "image": {"type": "url", "value": url}})
            client.post("/ppe/1", params={"image": url})
            client.post("/v1/vision/detection", data={"image": url})
    return 5 * len(urls)


def measure(folder: Path) -> dict[str, Any]:
    """Try all of it; this process has to be alone in its namespace."""
    with ExitStack() as stack:
        listeners = Listeners()
        stack.callback(listeners.close)
        canary = Canary(folder / "canary")
        stack.callback(canary.close)
        found: dict[str, Any] = {}

        def judged(name: str, tried: int) -> None:
            found[name] = {"tried": tried, "connections": len(listeners.touched), "files_opened": canary.opened}
            found[name]["touched"] = sorted(set(listeners.touched))
            listeners.touched.clear()
            canary.opened = 0

        _reachable(listeners)
        hooks = list(webhooks())
        for url, lan in hooks:
            deliver(url, lan=lan)
        judged("webhooks", len(hooks))
        sources = list(cameras(canary.path))
        for name, text in PLAYLISTS.items():
            (folder / name).write_text(text.format(file=canary.path), encoding="utf-8")
            sources.append(str(folder / name))
        for source in sources:
            watch(source)
        for target in (f"http://{_host(NEVER[0])}:8080/", f"rtsp://{NEVER[0]}/", f"file://{canary.path}"):
            with http_camera(Camera([], status=302, location=target)) as camera:
                watch(camera.url)
        judged("cameras", len(sources) + 3)
        judged("pictures", posted(folder))
        found["sound"] = not any(one["connections"] or one["files_opened"] for one in found.values())
    return found


def _reachable(listeners: Listeners) -> None:
    """Make sure that a connection would have been counted.

    Raises:
        RuntimeError: it would not.
    """
    addresses = [one for one in (*NEVER, *NEAR) if not one.startswith("fe80")]
    for address in addresses:
        socket.create_connection((address, 8080), 2).close()
    ends = time.monotonic() + 5
    while len(listeners.touched) < len(addresses) and time.monotonic() < ends:
        time.sleep(0.02)
    if len(listeners.touched) < len(addresses):
        raise RuntimeError(f"of {len(addresses)} connections {len(listeners.touched)} were counted")
    listeners.touched.clear()


def furnish() -> None:
    """Give the namespace's loopback device every address."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (*NEVER, *NEAR):
        if address not in {"0.0.0.0", "127.0.0.1", "127.9.9.9", "::1"}:
            whole = f"{address}/{128 if ':' in address else 32}"
            subprocess.run(["ip", "address", "add", whole, "dev", "lo"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not options.inside:
        again = [sys.executable, "-m", "benchmarks.forbidden", "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(["unshare", "--net", *again], check=False).returncode)
    furnish()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    tell(found, options.out)
    sys.exit(not found["sound"])


if __name__ == "__main__":
    main()
