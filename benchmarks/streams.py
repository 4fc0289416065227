"""Live cameras at once: how old are frames when they are judged, what does a bad camera cost the others, what is each?

    python -m benchmarks.streams [--seconds 40] [--cameras 4] [--clip FILM] [--skip-loop] [--out FILE]

RTSP servers, one a camera, send pre-encoded H.264 (remuxed: they encode nothing; their own CPU is in the figures). The
service watches them as it does, five frames a second each, with the shipped weights. In turn, `--seconds` each:

- quiet: ages of judged frames, judged frames a second, and whether ages grow;
- the same with the first camera frozen, killed, throttled to 200 kbit/s (behind a cable of its own: root, iproute2),
  sending 10 % damaged pictures: what the others lose of their frames;
- ultralytics' own loop, `YOLO(...).predict(source=..., stream=True)`, on the same cameras and weights, with a stride
  that gives five frames a second: the same figures, and ratios. How late a picture is answered is read off the number
  that is drawn into it, beyond the quickest one of the run, for both;
- one camera alone, as main stream and as substream, with nothing moving (the motion gate passes frames over) and with
  much moving: CPU seconds per second, and how many of those this machine's cores are worth.

Without `--clip` films are made, with nobody on them. Prints JSON; exits with 1 when the 95th percentile of ages was
over 1 s, ages grew, or another camera lost 5 % and more of its frames to a bad one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import psutil

from benchmarks.clips import CAMERA, moving, still
from benchmarks.figures import tell
from benchmarks.network import Cable, cable, missing_for_cables
from benchmarks.processes import ROOT, free_port
from benchmarks.watching import Kept, Reading, awaited, behind, cpu, percentiles, settled, watched_site
from service.detectors.manifest import read_weights
from service.detectors.opening import open_detector
from service.ports import Detector
from service.settings import Settings
from service.telemetry import configure_logging
from tests.rtsp.camera import missing_for_rtsp, rtsp_camera

Figures = dict[str, Any]
FPS = 15
JUDGED = 5
WARM = 15.0
"""Seconds at the start of a watch that are in no figure."""
MOST_LOST = 5.0
"""Percent of a camera's frames that a bad one beside it may cost."""
MOST_GROWN = 0.2
"""Seconds that ages may grow over a part: a queue that is not worked off grows by as much as it lasts."""
SIZES = {"1920x1080": 25, "1280x720": 15, "640x360": 15}
"""Streams whose cost is measured alone, and their frames a second."""


class Camera:
    """A server of its own that can be ended and started anew."""

    def __init__(self, clips: Path, link: Cable | None) -> None:
        self._clips, self.link = clips, link
        self._port = 8554 if link else free_port()
        self._running = ExitStack()
        self.url = f"rtsp://{link.there if link else '127.0.0.1'}:{self._port}/h264"
        self.start()

    def start(self, *options: str) -> None:
        place = ["--address", self.link.there] if self.link else []
        within = self.link.within if self.link else ()
        serving: AbstractContextManager[Popen[str]] = rtsp_camera(
            self._clips, self._port, "--fps", str(FPS), *place, *options, within=within
        )
        self.server = self._running.enter_context(serving)

    def stop(self) -> None:
        self._running.close()

    def again(self, *options: str) -> None:
        self.stop()
        self.start(*options)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the first camera, and what ends it."""

    begin: Callable[[], object]
    end: Callable[[], object]


def faults(camera: Camera) -> dict[str, Fault]:
    found = {
        "frozen": Fault(
            lambda: camera.server.send_signal(signal.SIGSTOP), lambda: camera.server.send_signal(signal.SIGCONT)
        ),
        "killed": Fault(camera.stop, camera.start),
        "damaged_10_percent": Fault(lambda: camera.again("--corrupt", "0.1"), camera.again),
    }
    if link := camera.link:
        found["throttled_200kbit"] = Fault(lambda: link.throttle("200kbit"), link.widen)
    return found


@contextmanager
def serving(folder: Path, count: int, clip: Path | None) -> Iterator[list[Camera]]:
    with ExitStack() as stack:
        link = None if missing_for_cables() else stack.enter_context(cable())
        cameras = []
        for number in range(count):
            clips = folder / f"clips-{number}"
            clips.mkdir()
            moving(clips / "a.h264", 1280, 720, FPS, clip, camera=number)
            cameras.append(Camera(clips, None if number else link))
            stack.callback(cameras[-1].stop)
        yield cameras


def window(kept: Kept, seconds: float, servers: Sequence[Camera] = ()) -> Figures:
    """Watch on for some seconds; return ages, rates and costs of them."""
    before, served, begins = cpu(), _served(servers), time.monotonic()
    time.sleep(seconds)
    after, ends = cpu(), time.monotonic()
    lasted, counted = ends - begins, kept.counted(begins, ends)
    ages = [(at, age) for one in kept.judged.values() for at, age in one if begins <= at < ends]
    grown = float(np.polyfit(*zip(*ages, strict=True), 1)[0]) * lasted if len(ages) > 10 else None
    return {
        "frames": counted,
        "judged_a_second": {name: round(many / lasted, 2) for name, many in counted.items()},
        "age": percentiles([age for _, age in ages]),
        "age_grew_by_s": None if grown is None else round(grown, 3),
        "cores": round((after[0] - before[0]) / lasted, 3),
        "cores_decoding": round((after[1] - before[1]) / lasted, 3),
        "cores_of_servers": round((_served(servers) - served) / lasted, 3),
    }


def _served(servers: Sequence[Camera]) -> float:
    return sum(sum(psutil.Process(one.server.pid).cpu_times()[:2]) for one in servers)


def ours(folder: Path, cameras: list[Camera], seconds: float) -> Figures:
    reading = Reading(open_detector(Settings()))
    try:
        with watched_site([one.url for one in cameras], reading, folder) as kept:
            took = settled(kept, len(cameras))
            time.sleep(WARM)
            begins = time.monotonic()
            quiet = window(kept, seconds, cameras)
            late = behind([one for one in reading.numbers if begins <= one[0]], FPS)
            quiet["settled_after_s"] = round(took, 1)
            quiet["behind_the_quickest"] = percentiles(late)
            bad = {}
            for name, fault in faults(cameras[0]).items():
                begins = time.monotonic()
                bad[name] = _faulted(kept, fault, quiet, seconds)
                own = [(at, number) for at, number in reading.numbers if begins <= at and number < CAMERA]
                bad[name]["its_own_behind_the_quickest"] = percentiles(behind(own, FPS))
    finally:
        reading.close()
    return {"quiet": quiet, "with_one_bad": bad}


def _faulted(kept: Kept, fault: Fault, quiet: Figures, seconds: float) -> Figures:
    fault.begin()
    found = window(kept, seconds)
    fault.end()
    ended = time.monotonic()
    back = awaited(lambda: kept.counted(ended, time.monotonic())["camera-0"] > 0, 60)
    took = time.monotonic() - ended
    time.sleep(5)
    rates, were = found["judged_a_second"], quiet["judged_a_second"]
    lost = {name: round(100 * (1 - rates[name] / were[name]), 1) for name in were if name != "camera-0"}
    return {"others_lost_percent": lost, "age": found["age"], "back_after_s": round(took, 1) if back else None}


def loop(folder: Path, cameras: list[Camera], seconds: float) -> Figures:
    """Run ultralytics' loop in a process of its own."""
    streams = folder / "all.streams"
    streams.write_text("".join(f"{one.url}\n" for one in cameras), encoding="utf-8")
    weights = read_weights(Settings().weights, "pt").path
    command = [sys.executable, "-m", "benchmarks.stream_loop", str(streams), str(weights), str(FPS // JUDGED)]
    command += [str(WARM), str(seconds)]
    environment = {**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp", "YOLO_OFFLINE": "true"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        "judged_a_second_and_camera": round(len(found["numbers"]) / found["seconds"] / len(cameras), 2),
        "behind_the_quickest": percentiles(behind([(at, number) for at, number in found["numbers"]], FPS)),
        "cores": round(found["cpu"] / found["seconds"], 3),
    }


def compared(mine: Figures, theirs: Figures, cameras: int) -> dict[str, float]:
    rate, their_rate = sum(mine["judged_a_second"].values()) / cameras, theirs["judged_a_second_and_camera"]
    cost, their_cost = mine["cores"] / rate, theirs["cores"] / their_rate
    return {
        "judged_frames_ours_by_theirs": round(rate / their_rate, 2),
        "cpu_a_judged_frame_ours_by_theirs": round(cost / their_cost, 2),
    }


def costs(folder: Path, seconds: float, clip: Path | None) -> Figures:
    """Watch one camera alone, of each size, still and moving."""
    found: Figures = {}
    detector = open_detector(Settings())
    try:
        for size, fps in SIZES.items():
            width, height = (int(one) for one in size.split("x"))
            for name, film in (("still", still), ("moving", moving)):
                place = folder / f"{size}-{name}"
                place.mkdir()
                film(place / "a.h264", width, height, fps, clip)
                found[f"{size}_{fps}fps_{name}"] = _alone(place, fps, seconds, detector)
    finally:
        detector.close()
    return found


def _alone(place: Path, fps: float, seconds: float, detector: Detector) -> Figures:
    port = free_port()
    with (
        rtsp_camera(place, port, "--fps", str(fps)),
        watched_site([f"rtsp://127.0.0.1:{port}/h264"], detector, place) as kept,
    ):
        settled(kept, 1)
        time.sleep(WARM / 3)
        one = window(kept, seconds)
    held = round((os.cpu_count() or 1) / one["cores"], 1) if one["cores"] else None
    return {**{key: one[key] for key in ("judged_a_second", "cores", "cores_decoding")}, "machine_holds": held}


def sound(found: Figures) -> bool:
    """Tell whether ages stayed low and a bad camera cost the others less than 5 %."""
    quiet = found["quiet"]
    lost = [most for one in found["with_one_bad"].values() for most in one["others_lost_percent"].values()]
    fresh = quiet["age"]["p95_s"] <= 1 and (quiet["age_grew_by_s"] or 0.0) < MOST_GROWN
    return fresh and all(one < MOST_LOST for one in lost)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40.0, help="of each part; a camera alone has half of it")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--clip", type=Path, help="a film to serve instead of made ones")
    parser.add_argument("--skip-loop", action="store_true", help="without ultralytics")
    parser.add_argument("--skip-costs", action="store_true", help="without cameras alone")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if missing := missing_for_rtsp():
        parser.error(missing)
    configure_logging("critical", "console")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with serving(folder, options.cameras, options.clip) as cameras:
            result: Figures = {"cameras": options.cameras, "cores": os.cpu_count()}
            result |= ours(folder, cameras, options.seconds)
            if not options.skip_loop:
                theirs = loop(folder, cameras, options.seconds)
                result |= {"ultralytics": theirs, "ratios": compared(result["quiet"], theirs, options.cameras)}
        if not options.skip_costs:
            result["alone"] = costs(folder, options.seconds / 2, options.clip)
    result["sound"] = sound(result)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
