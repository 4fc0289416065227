"""Fifty cameras go down together and come back together: how long until all are watched, and how do they come?

    python -m benchmarks.many_cameras [--cameras 50] [--down 30] [--out FILE]

One GStreamer RTSP server sends a small pre-encoded stream under as many names; the service's own reader watches each as
it does, asking by a connection first and starting a decoder process then. The server is killed, `--down` seconds later
another one listens, and notes each connection. When each attempt began is noted here; the pauses between them can be
compared with those that are asked for (`service.cameras.pace`).

Prints JSON; exits with 1 when not all cameras gave pictures within 60 s of the server's return.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.clips import moving
from benchmarks.figures import tell
from benchmarks.processes import free_port
from benchmarks.watched import Watched, watched
from service.cameras.child import ChildDecoder, Decoder
from service.cameras.knock import knocking
from service.cameras.live import LiveSource
from service.cameras.orders import Order
from service.worker.clock import SystemClock
from tests.rtsp.camera import missing_for_rtsp, rtsp_camera

PROMISED = 60.0
GIVEN_UP = 180.0
FPS = "5"


class Attempts:
    """When one camera was asked for, and when decoder processes were started for it."""

    def __init__(self, url: str) -> None:
        self._order = Order("rtsp", url, 1.0)
        self.at: list[float] = []
        self.started: list[float] = []

    def launch(self) -> Decoder:
        self.at.append(time.monotonic())
        return knocking(self._order, self._start)

    def _start(self) -> Decoder:
        self.started.append(time.monotonic())
        return ChildDecoder(self._order)


def measure(cameras: int, down: float) -> dict[str, object]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as watching, ExitStack() as server:
        clips = Path(folder)
        moving(clips / "a.h264", 320, 180, float(FPS))
        attempts = [Attempts(f"rtsp://127.0.0.1:{port}/h264-{number}") for number in range(cameras)]
        options = ["--copies", str(cameras), "--fps", FPS]
        server.enter_context(rtsp_camera(clips, port, *options))
        began = time.monotonic()
        seen = [watching.enter_context(watched(LiveSource(one.launch, SystemClock()))) for one in attempts]
        start = _all_back(seen, began)
        time.sleep(12)  # steady pictures: the pauses begin anew
        before = psutil.cpu_times()
        killed = time.monotonic()
        server.close()
        lost = [one.offline(killed, GIVEN_UP) for one in seen]
        time.sleep(max(0.0, killed + down - time.monotonic()))
        away = psutil.cpu_times()
        down_for = time.monotonic() - killed
        log = clips / "connections.log"
        server.enter_context(rtsp_camera(clips, port, *options, "--log", str(log)))
        back_at = time.monotonic()
        back = _all_back(seen, back_at)
        came = [float(line.split()[0]) - back_at for line in log.read_text(encoding="utf-8").splitlines()]
    busy = (away.user + away.system + away.nice) - (before.user + before.system + before.nice)
    return {
        "cameras": cameras,
        "down_s": round(down_for, 1),
        "start": _spread(start),
        "told_offline_s": _spread([one[0] - killed if one else None for one in lost]),
        "while_down": {
            "attempts": sum(killed < at < back_at for one in attempts for at in one.at),
            "processes_started": sum(killed < at < back_at for one in attempts for at in one.started),
            "attempts_in_the_worst_second": _worst([at for one in attempts for at in one.at if killed < at < back_at]),
            "machine_cores_busy": round(busy / down_for, 2),
            "pauses_s": _pauses(attempts, killed, back_at),
        },
        "back": _spread(back),
        "processes_started_in_the_worst_second": _worst(
            [at for one in attempts for at in one.started if at >= back_at]
        ),
        "connections_a_second": [
            Counter(int(at) for at in came)[second] for second in range(int(max(came, default=0)) + 1)
        ],
        "sound": all(one is not None and one <= PROMISED for one in back),
    }


def _all_back(seen: list[Watched], since: float) -> list[float | None]:
    """Return the seconds to each camera's first picture; None for those that gave none."""
    found = [one.frame(since, max(0.0, since + GIVEN_UP - time.monotonic())) for one in seen]
    return [None if at is None else at - since for at in found]


def _spread(seconds: list[float | None]) -> dict[str, object]:
    known = sorted(one for one in seconds if one is not None)
    if not known:
        return {"cameras": 0}
    return {
        "cameras": len(known),
        "first_s": round(known[0], 1),
        "median_s": round(statistics.median(known), 1),
        "last_s": round(known[-1], 1),
    }


def _worst(moments: list[float]) -> int:
    return max(Counter(int(at) for at in moments).values(), default=0)


def _pauses(attempts: list[Attempts], begins: float, ends: float) -> list[dict[str, float]]:
    """Return, for the first, second ... pause of each camera in the outage, how long they were."""
    gaps = [[b - a for a, b in pairwise([at for at in one.at if begins < at < ends])] for one in attempts]
    rounds = [[one[number] for one in gaps if len(one) > number] for number in range(max(map(len, gaps), default=0))]
    return [
        {"least": round(min(one), 2), "mean": round(statistics.mean(one), 2), "most": round(max(one), 2)}
        for one in rounds
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--down", type=float, default=30.0, help="seconds without a server")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if missing := missing_for_rtsp():
        parser.error(missing)
    result = measure(options.cameras, options.down)
    tell(result, options.out)
    return 0 if result["sound"] else 1


if __name__ == "__main__":
    sys.exit(main())
