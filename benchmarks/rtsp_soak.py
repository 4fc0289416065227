"""Does one RTSP camera come back by itself, with no doubled alert and flat memory, when its server is killed?

    python -m benchmarks.rtsp_soak [--seconds 600] [--kills 3] [--down 8] [--clip FILE] [--detector real] [--out FILE]

A real RTSP server (GStreamer, tests/rtsp) loops a clip; the real command `ppe watch site.yaml` watches it in a process
of its own and posts to a receiver here. The server is killed `--kills` times for `--down` seconds each. `--clip` is any
film that ffmpeg reads; the default is a made one with nobody on it. `--detector scripted` puts a made-up detector into
the command that sees one worker without a vest on every frame: then all alerts but the first are doubled ones.

Prints JSON; exits with 1 when the camera did not come back each time, an alert fired twice, the command did not end
with 0 on SIGTERM, or memory or open files grew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from benchmarks.figures import tell
from benchmarks.processes import ROOT, free_port
from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret
from service.store.store import Store
from tests.rtsp.camera import make_clips, rtsp_camera

SAMPLE = 2.0
"""Seconds between two looks at memory and open files."""
WARM_UP = 20.0
"""Seconds at the start that memory is not judged by: the model is compiled, caches fill."""
MOST_GROWTH = 5.0
"""Percent from the first third to the last."""

SCRIPTED = """
from service.cli import app
from service.detectors.fake import FakeDetector
from tests.safety.films import worker
from tests.safety.scenes import scene

def see(image):
    return scene(*worker(x=250, y=40, vest="no-vest"), width=image.shape[1], height=image.shape[0])

app(obj=lambda settings: FakeDetector(see))
"""


@dataclass
class Heard:
    """What the receiver got: (seconds on the monotonic clock, event)."""

    events: list[tuple[float, dict[str, object]]] = field(default_factory=list)

    def tell(self, arrival: Arrival) -> None:
        if arrival.event is not None and not arrival.duplicate:
            self.events.append((time.monotonic(), arrival.event))

    def first(self, kind: str, since: float) -> float | None:
        """Return when the first event of a kind came after `since`."""
        return next((at for at, event in self.events if event["type"] == kind and at >= since), None)

    def counted(self) -> dict[str, int]:
        return dict(Counter(str(event["type"]) for _, event in self.events))


@dataclass
class Meter:
    """Memory and open files of a process and its children, looked at now and then until told to stop."""

    process: psutil.Process
    rss: list[tuple[float, int]] = field(default_factory=list)
    files: list[tuple[float, int]] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(SAMPLE):
            try:
                tree = [self.process, *self.process.children(recursive=True)]
                at = time.monotonic()
                self.rss.append((at, sum(one.memory_info().rss for one in tree)))
                self.files.append((at, self.process.num_fds()))
            except psutil.NoSuchProcess:  # a decoder was replaced while we looked
                continue


def soak(
    folder: Path, *, seconds: float, kills: int, down: float, clip: Path | None = None, scripted: bool = False
) -> dict[str, object]:
    """Watch for `seconds`, with the server killed `kills` times; `folder` is for clips, site file and store."""
    clips, port, heard = _clips(folder, clip), free_port(), Heard()
    with receiving(heard) as (receiver, secret):
        site = _site(folder, port, receiver.port)
        with watching(site, folder, secret, scripted=scripted) as process:
            meter, stop = Meter(psutil.Process(process.pid)), threading.Event()
            sampling = threading.Thread(target=meter.run, args=(stop,))
            sampling.start()
            began, began_ms = time.monotonic(), time.time_ns() // 1_000_000
            with ExitStack() as server:
                camera = partial(rtsp_camera, clips, port)
                times = [began + seconds * (number + 1) / (kills + 1) for number in range(kills)]
                outages = _kill_and_start(server, camera, heard, times, down)
                time.sleep(max(0.0, began + seconds - time.monotonic()))
                stop.set()
                sampling.join()
                ended = time.monotonic()
                process.send_signal(signal.SIGTERM)
                code = process.wait(60)
            stopping = time.monotonic() - ended
    kept = _kept(folder / "store")
    growth, files = _growth(meter.rss, began, ended), _growth(meter.files, began, ended)
    doubled = kept.fired_twice + (max(0, kept.fired - 1) if scripted else 0)
    return {
        "seconds": round(ended - began, 1),
        "detector": "scripted" if scripted else "real",
        "clip": clip.name if clip else "made",
        "kills": outages,
        "first_picture_after_s": round((kept.first_ms - began_ms) / 1000, 1),
        "frames": kept.frames,
        "frames_a_second": round(kept.frames / (ended - began - kills * down), 2),
        "events_received": heard.counted(),
        "alerts_fired": kept.fired,
        "alerts_doubled": doubled,
        "rss_mb": growth,
        "open_files": files,
        "seconds_to_stop": round(stopping, 1),
        "exit_code": code,
        "sound": code == 0
        and not doubled
        and all(outage["back_after_s"] is not None for outage in outages)
        and growth["percent"] <= MOST_GROWTH
        and files["last_third"] <= files["first_third"] + 2,
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


def _site(folder: Path, camera: int, receiver: int) -> Path:
    site = folder / "site.yaml"
    site.write_text(
        f"cameras:\n  gate: rtsp://127.0.0.1:{camera}/h264\n"
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


def _kill_and_start(
    server: ExitStack,
    camera: Callable[[], AbstractContextManager[object]],
    heard: Heard,
    times: list[float],
    down: float,
) -> list[dict[str, float | None]]:
    """Serve, with an outage at each of the times; say how each went. The server goes on in its stack."""
    outages: list[dict[str, float | None]] = []
    server.enter_context(camera())
    for at in times:
        time.sleep(max(0.0, at - time.monotonic()))
        killed = time.monotonic()
        server.close()
        time.sleep(down)
        server.enter_context(camera())
        started = time.monotonic()
        back = _awaited(heard, "camera.online", started, 60)
        lost = heard.first("camera.offline", killed)
        outages.append(
            {
                "down_s": round(started - killed, 1),
                "told_offline_after_s": None if lost is None else round(lost - killed, 1),
                "back_after_s": None if back is None else round(back - started, 1),
            }
        )
    return outages


def _awaited(heard: Heard, kind: str, since: float, seconds: float) -> float | None:
    while (found := heard.first(kind, since)) is None and time.monotonic() < since + seconds:
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Kept:
    """What the store holds after the run; `fired_twice` counts alerts that fired more than once."""

    frames: int
    first_ms: int
    fired: int
    fired_twice: int


def _kept(folder: Path) -> Kept:
    with Store(folder, ["here"]) as store:
        frames = [at.wall_ms for at, _ in store.recording("gate")]
        histories = [store.alert(alert.id) for alert in store.alerts(1000)]
    fired = [sum(change.kind == "fired" for change in history.changes) for history in histories if history]
    return Kept(len(frames), frames[0] if frames else 0, sum(fired), sum(number > 1 for number in fired))


def _growth(samples: list[tuple[float, int]], began: float, ended: float) -> dict[str, float]:
    """Return the medians of the first and last third after the warm-up, in MB when they are that large."""
    begin = min(began + WARM_UP, began + (ended - began) / 4)
    third = (ended - begin) / 3
    first = statistics.median(value for at, value in samples if begin <= at <= begin + third)
    last = statistics.median(value for at, value in samples if at >= ended - third)
    unit = 1e6 if first > 1e6 else 1
    return {
        "first_third": round(first / unit, 1),
        "last_third": round(last / unit, 1),
        "highest": round(max(value for _, value in samples) / unit, 1),
        "percent": round(100 * (last / first - 1), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
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
            )
        finally:
            if options.log:
                shutil.copy(Path(folder) / "watch.log", options.log)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
