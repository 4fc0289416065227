"""Do RTSP cameras come back by themselves, with no doubled alert and flat memory, when their servers are killed?

    python -m benchmarks.rtsp_soak [--seconds 600] [--cameras 1] [--kills 3] [--down 8] [--clip FILE]
        [--detector real] [--out FILE]

A real RTSP server a camera (GStreamer, tests/rtsp) loops a clip; the real command `ppe watch site.yaml` watches them in
a process of its own and posts to a receiver here. One server after the other is killed, `--kills` times in all, for
`--down` seconds each. `--clip` is any film that ffmpeg reads; the default is a made one with nobody on it. `--detector
scripted` puts a made-up detector into the command that sees one worker without a vest on every frame: then all alerts
of a camera but the first are doubled ones.

Prints JSON; exits with 1 when a camera did not come back each time, an alert fired twice, the command did not end with
0 on SIGTERM, or memory, open files, threads or children grew: more than a line through their samples may
(`benchmarks.meter`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import tell
from benchmarks.meter import Meter
from benchmarks.processes import ROOT, free_port
from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret
from service.store.store import Store
from tests.rtsp.camera import make_clips, rtsp_camera

SCRIPTED = """
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.safety.films import worker
from tests.safety.scenes import scene

def see(image):
    return scene(*worker(x=250, y=40, vest="no-vest"), width=image.shape[1], height=image.shape[0])

app(obj=lambda settings: FakeDetector(see))
"""

RECORDED = 1700.0
"""Of runs that are shorter the store still has every frame at the end."""


@dataclass
class Heard:
    """What the receiver got: (seconds on the monotonic clock, event)."""

    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def tell(self, arrival: Arrival) -> None:
        if arrival.event is not None and not arrival.duplicate:
            self.events.append((time.monotonic(), arrival.event))

    def first(self, kind: str, camera: str, since: float) -> float | None:
        """Return when the first event of a kind came from a camera after `since`."""
        found = (at for at, event in self.events if event["type"] == kind and _camera(event) == camera and at >= since)
        return next(found, None)

    def counted(self) -> dict[str, int]:
        return dict(Counter(str(event["type"]) for _, event in self.events))


@dataclass
class Served:
    """A camera of the site and its server, which is killed now and then."""

    name: str
    serve: Callable[[], AbstractContextManager[object]]
    server: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self.server.enter_context(self.serve())


def soak(
    folder: Path,
    *,
    seconds: float,
    kills: int,
    down: float,
    clip: Path | None = None,
    scripted: bool = False,
    cameras: int = 1,
) -> dict[str, Any]:
    """Watch for `seconds`, with servers killed `kills` times; `folder` is for clips, site file and store."""
    clips, heard = _clips(folder, clip), Heard()
    ports = {f"gate-{number}": free_port() for number in range(cameras)}
    served = [Served(name, partial(rtsp_camera, clips, port)) for name, port in ports.items()]
    with receiving(heard) as (receiver, secret):
        site = _site(folder, ports, receiver.port)
        with watching(site, folder, secret, scripted=scripted) as process, ExitStack() as servers:
            meter, stop = Meter(psutil.Process(process.pid)), threading.Event()
            sampling = threading.Thread(target=meter.run, args=(stop,))
            sampling.start()
            began, began_ms = time.monotonic(), time.time_ns() // 1_000_000
            for one in served:
                servers.callback(one.server.close)
                one.start()
            times = [began + seconds * (number + 1) / (kills + 1) for number in range(kills)]
            outages = [_outage(served[number % cameras], heard, at, down) for number, at in enumerate(times)]
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            stop.set()
            sampling.join()
            ended = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            stopping = time.monotonic() - ended
    kept = _kept(folder / "store", ports)
    held = meter.judged(began, ended)
    doubled = kept.fired_twice + (max(0, kept.fired - cameras) if scripted else 0)
    recorded = (kept.last_ms - max(began_ms, kept.first_ms)) / 1000  # the store forgets frames after half an hour
    away = sum(down for at in times if at > ended - recorded)
    return {
        "seconds": round(ended - began, 1),
        "cameras": cameras,
        "detector": "scripted" if scripted else "real",
        "clip": clip.name if clip else "made",
        "kills": outages,
        "first_picture_after_s": round((kept.first_ms - began_ms) / 1000, 1) if seconds < RECORDED else None,
        "frames_recorded": kept.frames,
        "frames_a_second": round(kept.frames / (cameras * recorded - away), 2),
        "events_received": heard.counted(),
        "alerts_fired": kept.fired,
        "alerts_doubled": doubled,
        "held": held,
        "seconds_to_stop": round(stopping, 1),
        "exit_code": code,
        "sound": code == 0
        and not doubled
        and all(outage["back_after_s"] is not None for outage in outages)
        and all(one["flat"] for one in held.values()),
    }


def _clips(folder: Path, clip: Path | None) -> Path:
    """Make the clip that the server loops: of the given film, or a made one."""
    made = make_clips(folder)
    if clip is not None:
        command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-i", str(clip), "-an", "-r", "15"]
        command += ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "15", "-bf", "0", "-preset", "veryfast"]
        command += ["-bsf:v", "h264_metadata=aud=insert", "-f", "h264", str(made / "a.h264")]
        subprocess.run(command, check=True)
    return made


def _site(folder: Path, ports: Mapping[str, int], receiver: int) -> Path:
    site = folder / "site.yaml"
    cameras = "".join(f"  {name}: rtsp://127.0.0.1:{port}/h264\n" for name, port in ports.items())
    site.write_text(
        f"cameras:\n{cameras}"
        f"endpoints:\n  here:\n    url: http://127.0.0.1:{receiver}/\n    secret_env: SOAK_SECRET\n    lan: true\n",
        encoding="utf-8",
    )
    return site


@contextmanager
def receiving(heard: Heard) -> Iterator[tuple[Receiver, str]]:
    """Receive webhooks; give the receiver and its secret."""
    secret = new_secret()
    receiver = Receiver(secret, 0, heard.tell)
    thread = threading.Thread(target=receiver.run)
    thread.start()
    try:
        yield receiver, secret
    finally:
        receiver.stop()
        thread.join()
        receiver.close()


@contextmanager
def watching(site: Path, folder: Path, secret: str, *, scripted: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Run `ppe watch` until the context ends."""
    ppe = [sys.executable, "-c", SCRIPTED] if scripted else [str(Path(sys.executable).with_name("ppe"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PPE_STORE": str(folder / "store"), "SOAK_SECRET": secret}
    with (folder / "watch.log").open("wb") as log:
        process = subprocess.Popen([*ppe, "watch", str(site)], env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _outage(camera: Served, heard: Heard, at: float, down: float) -> dict[str, Any]:
    """Kill a camera's server at a moment, start it again, and say how that went."""
    time.sleep(max(0.0, at - time.monotonic()))
    killed = time.monotonic()
    camera.server.close()
    time.sleep(down)
    camera.start()
    started = time.monotonic()
    back = _awaited(heard, "camera.online", camera.name, started, 60)
    lost = heard.first("camera.offline", camera.name, killed)
    return {
        "camera": camera.name,
        "down_s": round(started - killed, 1),
        "told_offline_after_s": None if lost is None else round(lost - killed, 1),
        "back_after_s": None if back is None else round(back - started, 1),
    }


def _awaited(heard: Heard, kind: str, camera: str, since: float, seconds: float) -> float | None:
    while (found := heard.first(kind, camera, since)) is None and time.monotonic() < since + seconds:
        time.sleep(0.1)
    return found


def _camera(event: dict[str, Any]) -> str:
    return str(event["data"]["camera"]["id"])


@dataclass(frozen=True)
class Kept:
    """What the store holds after the run; `fired_twice` counts alerts that fired more than once."""

    frames: int
    first_ms: int
    last_ms: int
    fired: int
    fired_twice: int


def _kept(folder: Path, cameras: Iterable[str]) -> Kept:
    with Store(folder, ["here"]) as store:
        frames = sorted(at.wall_ms for camera in cameras for at, _ in store.recording(camera)) or [0]
        histories = [store.alert(alert.id) for alert in store.alerts(1000)]
    fired = [sum(change.kind == "fired" for change in history.changes) for history in histories if history]
    return Kept(len(frames), frames[0], frames[-1], sum(fired), sum(number > 1 for number in fired))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--down", type=float, default=8.0, help="seconds without a server")
    parser.add_argument("--clip", type=Path, help="a film to serve instead of the made one")
    parser.add_argument("--detector", choices=["real", "scripted"], default="real")
    parser.add_argument("--log", type=Path, help="keep what the command logged")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = soak(
                Path(folder),
                seconds=options.seconds,
                kills=options.kills,
                down=options.down,
                clip=options.clip,
                scripted=options.detector == "scripted",
                cameras=options.cameras,
            )
        finally:
            if options.log:
                shutil.copy(Path(folder) / "watch.log", options.log)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
