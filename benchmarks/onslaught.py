"""Does the service stand what it is sent? Mutated pictures, hundreds of slow connections, a burst of requests.

    python -m benchmarks.onslaught [--pictures 10000] [--connections 200] [--burst 200] [--seed 1] [--out FILE]

A service of its own with an API key and the shipped weights. In turn:

- **pictures**: JPEG, PNG, WebP, BMP, GIF and TIFF, each bent at random (bits, cuts, doubled and foreign pieces,
  fields of the head set to extremes), from four clients, which post whole photos of several sizes first: statuses, the
  slowest answer, growth of resident memory;
- **slow**: so many connections send a byte of a request a second and never end it; meanwhile `/healthz` is asked, each
  time over a new connection;
- **burst**: so many photos posted at once: how many are answered, how many are refused, whether those say when to come
  again, and after how many seconds a lone request takes less than twice what it took before.

Prints JSON; exits with 1 when an answer was 500 or above (503 with Retry-After is one to a burst), memory grew by
50 MB, `/healthz` took over 200 ms in the 99th percentile, or a lone request was slow for over 5 s after the burst.
"""

from __future__ import annotations

import argparse
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np

from benchmarks.exposed import Exposed, exposed
from benchmarks.figures import tell
from benchmarks.photo import photo

FORMATS = (".jpg", ".png", ".webp", ".bmp", ".gif", ".tiff")
SAMPLE = 500
"""Pictures between two looks at memory."""
WHOLE = ((640, 640), (640, 480), (640, 360), (480, 640), (360, 640), (1920, 1080), (4000, 3000))
"""Photos that are posted first, so that what grows is the bent ones': models of all shapes are compiled, pools full."""


def pictures(service: Exposed, number: int, rng: random.Random) -> dict[str, Any]:
    """Post so many mutated pictures from four clients."""
    image = cv2.imdecode(np.frombuffer(photo(320, 240), np.uint8), cv2.IMREAD_COLOR)
    good = {name: cv2.imencode(name, image)[1].tobytes() for name in FORMATS}
    bodies = [mutated(good[rng.choice(FORMATS)], rng) for _ in range(number)]
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    resident: list[int] = []

    def post(part: list[bytes]) -> None:
        with service.client() as client:
            for body in part:
                began = time.perf_counter()
                answer = client.post("/v1/detect", files={"image": ("photo", body)})
                seconds.append(time.perf_counter() - began)
                statuses[answer.status_code] += 1
                if len(seconds) % SAMPLE == 0:
                    resident.append(service.resident())

    whole = [photo(width, height) for width, height in WHOLE] * 4

    def warm(_: int) -> None:
        with service.client() as client:
            for body in whole:
                client.post("/v1/detect", files={"image": ("photo", body)}).raise_for_status()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(warm, range(4)))
        resident.append(service.resident())
        list(pool.map(post, [bodies[start::4] for start in range(4)]))
    resident.append(service.resident())
    return {
        "posted": number,
        "statuses": dict(sorted(statuses.items())),
        "answers_of_500_and_above": sum(count for status, count in statuses.items() if status >= 500),
        "slowest_s": round(max(seconds), 2),
        "rss_mb_each_500": [round(one / 1e6) for one in resident],
        "rss_grew_by_mb": round((resident[-1] - resident[0]) / 1e6, 1),
    }


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a picture's bytes bent in one to four ways."""
    bent = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(bent)) if bent else 0
        head = rng.randrange(min(64, len(bent))) if bent else 0
        piece = bytes(bent[place : place + rng.randint(1, 400)])
        match rng.randrange(7):
            case 0 if bent:
                bent[place] ^= 1 << rng.randrange(8)
            case 1 if bent:
                bent[head] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del bent[place:]
            case 3:
                bent[place:place] = piece * rng.randint(1, 20)
            case 4:
                bent[place:place] = rng.randbytes(rng.randint(1, 400))
            case 5:
                bent[head : head + 4] = rng.choice((b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff"))
            case _:
                del bent[place : place + len(piece)]
    return bytes(bent)


def slow(service: Exposed, connections: int, asked: int = 300) -> dict[str, Any]:
    """Hold so many connections that never end their request, and ask for the service's health meanwhile."""
    head = f"POST /v1/detect HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {service.token}\r\n"
    head += "Content-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n"
    held = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(connections)]
    for number, link in enumerate(held):  # half are stuck in the head, half in the body
        link.sendall(head.encode()[: 40 if number % 2 else None])
    over = threading.Event()

    def drip() -> None:
        while not over.wait(1.0):
            for link in held:
                try:
                    link.send(b"a")
                except OSError:  # the service's deadline: that is what it is for
                    continue

    dripping = threading.Thread(target=drip)
    dripping.start()
    seconds = []
    for _ in range(asked):
        began = time.perf_counter()
        httpx.get(f"{service.url}/healthz", timeout=30).raise_for_status()
        seconds.append(time.perf_counter() - began)
    over.set()
    dripping.join()
    for link in held:
        link.close()
    return {
        "connections": connections,
        "asked": asked,
        "healthz_p50_ms": round(1000 * statistics.median(seconds), 1),
        "healthz_p99_ms": round(1000 * float(np.percentile(seconds, 99)), 1),
    }


def burst(service: Exposed, number: int) -> dict[str, Any]:
    """Post so many photos at once, and see when the service is itself again."""
    body = photo(1920, 1080)
    usual = statistics.median(_alone(service, body) for _ in range(10))
    start = threading.Barrier(number)

    def post(_: int) -> tuple[int, bool]:
        with service.client() as client:
            start.wait()
            answer = client.post("/v1/detect", files={"image": ("photo.jpg", body)})
            return answer.status_code, "retry-after" in answer.headers

    began = time.monotonic()
    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(post, range(number)))
    answered = time.monotonic()
    while _alone(service, body) > 2 * usual and time.monotonic() < answered + 60:
        pass
    statuses = Counter(status for status, _ in answers)
    return {
        "posted": number,
        "statuses": dict(sorted(statuses.items())),
        "refused_without_retry_after": sum(status == 503 and not said for status, said in answers),
        "seconds_until_all_were_answered": round(answered - began, 2),
        "lone_request_s": round(usual, 3),
        "seconds_until_usual_again": round(time.monotonic() - answered, 2),
    }


def _alone(service: Exposed, body: bytes) -> float:
    began = time.perf_counter()
    with service.client() as client:
        client.post("/v1/detect", files={"image": ("photo.jpg", body)})
    return time.perf_counter() - began


def measure(folder: Path, number: int, connections: int, posts: int, seed: int) -> dict[str, Any]:
    """Do all of it to one service."""
    with exposed(folder, watching=False, real=True, rate_per_minute=1_000_000) as service:
        found: dict[str, Any] = {
            "pictures": pictures(service, number, random.Random(seed)),
            "slow": slow(service, connections),
            "burst": burst(service, posts),
        }
    bad = found["burst"]
    found["sound"] = (
        not found["pictures"]["answers_of_500_and_above"]
        and found["pictures"]["rss_grew_by_mb"] < 50
        and found["slow"]["healthz_p99_ms"] < 200
        and not (set(bad["statuses"]) - {200, 503} or bad["refused_without_retry_after"])
        and bad["seconds_until_usual_again"] < 5
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--burst", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.pictures, options.connections, options.burst, options.seed)
    tell(found, options.out)
    sys.exit(not found["sound"])


if __name__ == "__main__":
    main()
