"""What does HTTP cost over calling the detector, and how far is the naive endpoint behind? One run, interleaved.

    python -m benchmarks.http [--rounds 5] [--out FILE]

Prints ratios: server CPU per picture to an in-process loop's, latency at one client to the loop's, throughput at 16
clients to a FastAPI handler that calls ultralytics on the .pt (skipped, and said so, where ultralytics is absent). All
three look once (PPE_SECOND_LOOK=0): what the second look costs is measured by `benchmarks.far_people`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.client import Load, multipart, post
from benchmarks.figures import tell
from benchmarks.photo import photo
from benchmarks.processes import Server, naive, service
from service.settings import Settings

ROOT = Path(__file__).parent.parent
PER_ROUND = 30


class Loop:
    """The in-process loop, in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.loop"],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, pictures: int) -> tuple[list[float], float]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{pictures}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["walls"], answer["cpu"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def measure(rounds: int) -> dict[str, float | int | str | None]:
    os.environ["PPE_SECOND_LOOK"] = "0"  # of the processes that are started from here
    body = multipart(photo(1920, 1080))
    loop, ours = Loop(), service()
    has_naive = importlib.util.find_spec("ultralytics") is not None
    theirs: Server | None = naive(Settings().weights) if has_naive else None
    loop_walls: list[float] = []
    loop_cpu = 0.0
    single: list[Load] = []
    crowd: list[Load] = []
    crowd_naive: list[Load] = []
    try:
        loop.run(5)
        for server in (ours, theirs):
            if server is not None:
                post(server.port, body, 1, 5, server.cpu)
        for _ in range(rounds):
            walls, cpu = loop.run(PER_ROUND)
            loop_walls += walls
            loop_cpu += cpu
            single.append(post(ours.port, body, 1, PER_ROUND, ours.cpu))
            crowd.append(post(ours.port, body, 16, 2 * PER_ROUND, ours.cpu))
            if theirs is not None:
                crowd_naive.append(post(theirs.port, body, 16, PER_ROUND, theirs.cpu))
    finally:
        loop.close()
        ours.close()
        if theirs is not None:
            theirs.close()
    walls = sorted(wall for load in single for wall in load.walls)
    loop_p50 = statistics.median(loop_walls)
    loop_ms = 1000 * loop_cpu / len(loop_walls)
    server_ms = 1000 * sum(load.server_cpu for load in single) / len(walls)
    crowd_ms = 1000 * sum(load.server_cpu for load in crowd) / sum(len(load.walls) for load in crowd)
    ours_rate = statistics.median(load.per_second for load in crowd)
    naive_rate = statistics.median(load.per_second for load in crowd_naive) if crowd_naive else None
    return {
        "photo": f"1920x1080 JPEG, {len(body)} bytes as multipart",
        "pictures_each": len(walls),
        "loop_cpu_ms": round(loop_ms, 1),
        "server_cpu_ms_1_client": round(server_ms, 1),
        "server_cpu_ms_16_clients": round(crowd_ms, 1),
        "cpu_ratio_1_client": round(server_ms / loop_ms, 3),
        "cpu_ratio_16_clients": round(crowd_ms / loop_ms, 3),
        "loop_p50_ms": round(1000 * loop_p50, 1),
        "p50_ms": round(1000 * statistics.median(walls), 1),
        "p99_ms": round(1000 * walls[min(len(walls) - 1, int(0.99 * len(walls)))], 1),
        "p50_ratio": round(statistics.median(walls) / loop_p50, 3),
        "p99_ratio": round(walls[min(len(walls) - 1, int(0.99 * len(walls)))] / loop_p50, 3),
        "pictures_per_second_16_clients": round(ours_rate, 1),
        "naive_pictures_per_second_16_clients": naive_rate and round(naive_rate, 1),
        "throughput_ratio_16_clients": naive_rate and round(ours_rate / naive_rate, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = measure(options.rounds)
    tell(found, options.out)


if __name__ == "__main__":
    main()
