"""How long until the service is ready, and does its memory stay where it is? 1,000 pictures of mixed shapes.

python -m benchmarks.service [--requests 1000] [--out FILE]
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from benchmarks.client import multipart, post
from benchmarks.figures import tell
from benchmarks.photo import photo
from benchmarks.processes import service

SHAPES = ((1920, 1080), (640, 480), (1080, 1920), (800, 800), (1280, 720), (480, 640), (640, 640), (3000, 2000))


def measure(requests: int) -> dict[str, object]:
    starts = []
    for _ in range(5):
        server = service()
        starts.append(server.seconds_to_ready)
        server.close()
    server = service()
    bodies = [multipart(photo(width, height)) for width, height in SHAPES]
    samples = []
    try:
        for done in range(0, requests, len(bodies)):
            for body in bodies:
                post(server.port, body, 4, 1 if done else 4, server.cpu)
            samples.append(server.resident())
        torch = server.maps("libtorch")
    finally:
        server.close()
    third = len(samples) // 3
    early, late = statistics.median(samples[third : 2 * third]), statistics.median(samples[2 * third :])
    return {
        "seconds_to_ready_median_of_5": round(statistics.median(starts), 2),
        "seconds_to_ready_worst_of_5": round(max(starts), 2),
        "torch_loaded": torch,
        "requests": requests,
        "rss_mb_at_end": round(samples[-1] / 1e6),
        "rss_mb_highest": round(max(samples) / 1e6),
        "rss_growth_middle_to_last_third_percent": round(100 * (late / early - 1), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tell(measure(options.requests), options.out)


if __name__ == "__main__":
    main()
