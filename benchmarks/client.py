"""Load for a service on this machine: N clients, each with one connection, posting one picture again and again."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass

BOUNDARY = "ppe-benchmark-boundary"


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests took: wall seconds of each, wall seconds of all, CPU seconds of the server."""

    walls: tuple[float, ...]
    wall: float
    server_cpu: float

    @property
    def per_second(self) -> float:
        return len(self.walls) / self.wall


def multipart(content: bytes) -> bytes:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def post(port: int, body: bytes, clients: int, requests: int, cpu: object) -> Load:
    """Send `requests` posts from `clients` threads; `cpu()` reads the server's CPU seconds.

    Raises:
        RuntimeError: an answer was not 200.
    """
    walls: list[float] = []
    faults: list[str] = []
    left = list(range(requests))
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                if not left or faults:
                    break
                left.pop()
            begun = time.perf_counter()
            connection.request(
                "POST", "/v1/detect", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            )
            answer = connection.getresponse()
            answer.read()
            with lock:
                walls.append(time.perf_counter() - begun)
                if answer.status != 200:
                    faults.append(f"answer {answer.status}")
        connection.close()

    before, begun = cpu(), time.perf_counter()  # type: ignore[operator]
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(faults[0])
    return Load(tuple(walls), time.perf_counter() - begun, cpu() - before)  # type: ignore[operator]
