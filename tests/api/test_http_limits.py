"""On the wire: bodies without end, connections after a refusal, shutdown, and what leaves when the service fails."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import structlog

from service.api.limits import DRAIN
from service.detectors.fake import FakeDetector
from service.ports import Image
from service.safety.detections import Detections, empty
from tests.api.conftest import build, serving
from tests.api.made_pictures import Scene, see
from tests.api.test_http_refusals import FORM, GOOD, form, part, refusal

MEGABYTE = bytes(2**20)


@pytest.mark.parametrize("kind", ["image/jpeg", FORM])
@pytest.mark.parametrize("declared", [True, False], ids=["with Content-Length", "chunked"])
def test_300_megabytes(client: httpx.Client, kind: str, declared: bool) -> None:
    process = psutil.Process()
    client.post("/v1/detect", content=GOOD)
    before, peak = process.memory_info().rss, 0

    def body() -> Iterator[bytes]:
        nonlocal peak
        if kind == FORM:
            yield b"--b\r\n" + part("image", b"")
        for _ in range(300):
            peak = max(peak, process.memory_info().rss)
            yield MEGABYTE

    headers = {"Content-Type": kind} | ({"Content-Length": str(300 * 2**20 + 200)} if declared else {})
    response = client.post("/v1/detect", content=body(), headers=headers)
    assert refusal(response) == "BODY_TOO_LARGE"
    assert response.headers["connection"] == "close"
    assert peak - before < 50 * 2**20


def test_no_more_is_read_than_the_limit() -> None:
    limit, read = 10**6, 0
    answers: list[tuple[object, int]] = []

    async def ask() -> None:

        async def receive() -> dict[str, object]:
            nonlocal read
            read += 2**16
            return {"type": "http.request", "body": bytes(2**16), "more_body": True}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                answers.append((message["status"], read))

        scope = {"type": "http", "method": "POST", "path": "/v1/detect", "raw_path": b"/v1/detect", "query_string": b""}
        scope |= {"headers": [(b"transfer-encoding", b"chunked")], "app": None}
        await build(FakeDetector(see), body_bytes=limit)(scope, receive, send)

    asyncio.run(ask())
    ((status, read_before_answer),) = answers
    assert status == 413
    assert read_before_answer <= limit + 2**16
    assert read <= 2 * (limit + 2**16)


def _connect(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)


@pytest.mark.parametrize("size", [100, DRAIN // 2])
def test_a_small_refused_body_leaves_the_connection_usable(address: str, size: int) -> None:
    connection = _connect(address)
    for _ in range(3):
        connection.request("POST", "/v1/detect", bytes(size), {"Content-Type": "text/plain"})
        with connection.getresponse() as response:
            assert response.status == 415
            assert response.headers["Connection"] is None
            response.read()
    connection.close()


def test_a_large_refused_body_closes_the_connection(client: httpx.Client) -> None:
    headers = {"Content-Type": "text/plain", "Content-Length": str(50 * 2**20)}
    response = client.post("/v1/detect", content=(MEGABYTE for _ in range(50)), headers=headers)
    assert refusal(response) == "UNSUPPORTED_MEDIA_TYPE"
    assert response.headers["connection"] == "close"


def _raw(address: str, request: bytes) -> bytes:
    """Send bytes; return what comes back until the server closes."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as wire:
        wire.sendall(request)
        return b"".join(iter(lambda: wire.recv(2**16), b""))


@pytest.mark.thorough
def test_a_refusal_does_not_wait_for_a_body_that_never_comes(address: str) -> None:
    head = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 4000\r\n\r\n"
    answer = _raw(address, head + b"only this")
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert b"connection: close" in answer


def test_two_framings_at_once_close_the_connection(address: str) -> None:
    head = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = _raw(address, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer


@pytest.mark.parametrize("length", [b"-1", b"4\r\nContent-Length: 5", b"1e9"])
def test_rubbish_lengths_are_no_request(address: str, length: bytes) -> None:
    head = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: " + length
    assert _raw(address, head + b"\r\n\r\nabcd").startswith(b"HTTP/1.1 400 ")


def test_a_client_that_leaves_half_way_harms_nobody(address: str, client: httpx.Client) -> None:
    parts = urlsplit(address)
    for _ in range(20):
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as wire:
            wire.sendall(b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + GOOD[:1000])
    assert client.post("/v1/detect", content=GOOD).status_code == 200


def test_ready_after_the_first_detection_until_shutdown() -> None:
    looked, may_finish = threading.Event(), threading.Event()

    def slowly(image: Image) -> Detections:
        looked.set()
        assert may_finish.wait(30)
        return empty(image.shape[1], image.shape[0])

    detector = FakeDetector(slowly)
    app = build(detector)

    async def walk() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:

            async def statuses() -> list[int]:
                return [(await client.get(path)).status_code for path in ("/healthz", "/readyz")]

            before = await statuses()
            lifespan = app.router.lifespan_context(app)
            starting = asyncio.create_task(lifespan.__aenter__())
            await asyncio.to_thread(looked.wait, 30)
            during = await statuses()
            may_finish.set()
            await starting
            running = await statuses()
            await lifespan.__aexit__(None, None, None)
            late = await client.post("/v1/detect", content=GOOD)
            assert refusal(late) == "MODEL_UNAVAILABLE"
            return before + during + running + await statuses()

    assert asyncio.run(walk()) == [200, 503, 200, 503, 200, 200, 200, 503]
    assert detector.seen[0] == (640, 384)


def test_probes(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    model = {"name": "fake", "version": "1", "sha256": "0" * 64}
    assert client.get("/readyz").json() == {"status": "ready", "model": model}


def _fail(image: Image) -> Detections:
    if image.shape[:2] == (384, 640):
        return empty(640, 384)
    raise RuntimeError("secret of the engine")


def test_a_failure_is_logged_and_not_told() -> None:
    with structlog.testing.capture_logs() as logged, serving(build(FakeDetector(_fail))) as url:
        one = httpx.post(f"{url}/v1/detect", content=GOOD)
        many = httpx.post(f"{url}/v1/detect", files=[("image", GOOD)] * 5)
        again = httpx.get(f"{url}/healthz")
    assert refusal(one) == refusal(many) == "INTERNAL"
    assert "secret" not in one.text + many.text
    assert again.status_code == 200
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["request failed"] * 2


def test_one_log_line_a_request_and_no_query_in_it() -> None:
    keep = structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars])
    with keep as logged, serving(build(FakeDetector(see))) as url:
        httpx.post(f"{url}/v1/detect?require=secret", content=GOOD, headers={"X-Request-ID": "mine"})
        httpx.get(f"{url}/a%0Ab?key=secret", headers={"X-Request-ID": "mine-too"})
    lines = [line for line in logged if line["event"] == "request" and line["request_id"].startswith("mine")]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/v1/detect", 422),
        ("GET", "/a%0Ab", 404),
    ]
    assert lines[0]["request_id"] == "mine"
    assert "secret" not in str(logged)


def test_pictures_of_one_request_are_decoded_few_at_a_time() -> None:
    alive, most, lock = 0, 0, threading.Lock()

    class Counting(FakeDetector):
        def submit(self, image: Image):  # type: ignore[no-untyped-def]
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)
            future = super().submit(image)

            def left(_: object) -> None:
                nonlocal alive
                with lock:
                    alive -= 1

            future.add_done_callback(left)
            return future

    body = form(*[part("image", Scene().encoded("PNG"))] * 32)
    with serving(build(Counting(see))) as url:
        response = httpx.post(f"{url}/v1/detect", content=body, headers={"Content-Type": FORM}, timeout=60)
    assert len(response.json()["images"]) == 32
    assert 1 <= most <= 3
