"""What keeps browsers and crowds from harm: names, headers, slow bodies, turns and rates."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from service.api.audit import Audit
from service.api.gate import Access
from service.api.headers import policy_of
from service.api.heads import BYTES, PromptHeads
from service.api.hosts import Hosts
from service.api.rates import Rates
from service.detectors.fake import FakeDetector
from service.ports import Image
from service.safety.detections import Detections, empty
from tests.api.conftest import build, serving
from tests.api.keyed import keyed
from tests.api.made_pictures import see
from tests.api.test_http_refusals import GOOD, refusal
from tests.store.made import START_MS, HeldClock

# -- names


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:8000",
        "127.8.8.8",
        "[::1]",
        "[::1]:8000",
        "ppe.lan:8000",
    ],
)
def test_names_of_this_machine_are_taken(header: str) -> None:
    assert Hosts(["PPE.lan"]).takes(header)


OTHERS = """
evil.example evil.example:8000 localhost.evil.example 127.0.0.1.evil.example localhost@evil.example localhost:evil
10.0.0.5 0.0.0.0 [::] [::2]:8000 ::1:8000 [::1 [::1]evil 2130706433 *
"""


@pytest.mark.parametrize("header", ["", *OTHERS.split()])
def test_other_names_are_not(header: str) -> None:
    assert not Hosts(["ppe.lan"]).takes(header)


@pytest.fixture(scope="module")
def open_service() -> Iterator[str]:
    clock = HeldClock(START_MS)
    access = Access(None, Hosts(["ppe.lan"]), Rates(0, clock), Audit(None, clock))
    with serving(build(FakeDetector(see), access=access)) as url:
        yield url


@pytest.mark.parametrize("path", ["/v1/detect", "/docs", "/healthz", "/openapi.json", "/nothing"])
def test_a_page_whose_name_leads_here_learns_nothing(open_service: str, path: str) -> None:
    answer = httpx.get(f"{open_service}{path}", headers={"Host": "evil.example"})
    assert (answer.status_code, refusal(answer)) == (421, "HOST_REFUSED")


@pytest.mark.parametrize("host", ["localhost:1", "ppe.lan"])
def test_an_allowed_name_is_answered(open_service: str, host: str) -> None:
    assert httpx.post(f"{open_service}/v1/detect", content=GOOD, headers={"Host": host}).status_code == 200


def test_with_keys_any_name_is_taken() -> None:
    with keyed() as service, service.client("read", Host="ppe.example") as client:
        assert client.get("/v1/cameras").status_code == 200


# -- headers

CAREFUL = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/healthz", "/docs", "/openapi.json", "/nothing", "/v1/alerts", "/docs-assets/swagger-ui.css"]
)
def test_every_answer_tells_browsers_to_be_careful(client: httpx.Client, path: str) -> None:
    headers = client.get(path, headers={"Origin": "https://evil.example"}).headers
    assert {name: headers.get(name) for name in CAREFUL} == CAREFUL
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert len(headers.get_list("content-security-policy")) == 1
    assert not [name for name in headers if name.startswith("access-control-")]
    assert (headers.get("cache-control") == "no-store") == path.startswith("/v1/")


def test_an_answer_to_a_picture_is_stored_nowhere(client: httpx.Client) -> None:
    assert client.post("/v1/detect", content=GOOD).headers["cache-control"] == "no-store"


def test_another_origin_gets_no_permission(client: httpx.Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/detect", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_docs_page_runs_its_own_scripts_only(client: httpx.Client) -> None:
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert policy == policy_of(page.text)
    assert "'sha256-" in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]
    assert policy_of("<script>a()</script>") != policy_of("<script>b()</script>")


# -- slow bodies


@pytest.mark.thorough
def test_a_body_that_does_not_come_is_given_up_and_nobody_waits_for_it() -> None:
    with serving(build(FakeDetector(see), body_seconds=0.3)) as url:
        parts = urlsplit(url)
        for path in (b"/v1/detect", b"/infer/object_detection"):
            head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: 4000\r\n\r\n" % path
            with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as wire:
                wire.sendall(head + b"some")
                assert httpx.get(f"{url}/healthz").status_code == 200
                answer = b"".join(iter(lambda: wire.recv(2**16), b""))
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close" in answer
            assert b'"code":"BODY_TIMEOUT"' in answer
        assert httpx.post(f"{url}/v1/detect", content=GOOD).status_code == 200


def test_a_body_that_drips_is_given_up_too() -> None:
    """Each byte comes soon after the one before; all of them together do not."""
    with serving(build(FakeDetector(see), body_seconds=0.3)) as url:
        parts = urlsplit(url)
        head = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=0.05) as wire:
            wire.sendall(head)
            answer = b""
            for _ in range(200):
                wire.sendall(b"x")
                try:
                    answer = wire.recv(2**16)
                    break
                except TimeoutError:
                    pass
        assert answer.startswith(b"HTTP/1.1 408 ")


# -- heads


class Impatient(PromptHeads):
    seconds = 0.2


@pytest.fixture(scope="module")
def impatient() -> Iterator[tuple[str, int]]:
    with serving(build(FakeDetector(see)), http=Impatient) as url:
        parts = urlsplit(url)
        yield parts.hostname or "", parts.port or 0


def _all_that_comes(wire: socket.socket) -> bytes:
    return b"".join(iter(lambda: wire.recv(2**16), b""))


@pytest.mark.parametrize("head", [b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"GE", b"GET /healthz HTTP/1.1\r\nX: "])
def test_a_head_that_does_not_come_ends_the_connection(impatient: tuple[str, int], head: bytes) -> None:
    with socket.create_connection(impatient, timeout=30) as wire:
        wire.sendall(head)
        assert _all_that_comes(wire).startswith(b"HTTP/1.1 408 ")


def test_who_says_nothing_is_left(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=30) as wire:
        assert _all_that_comes(wire) == b""


def test_the_head_of_the_next_request_has_a_time_too(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=30) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\n")
        answers = _all_that_comes(wire)
    assert [answers.count(status) for status in (b"HTTP/1.1 200 ", b"HTTP/1.1 408 ")] == [1, 1]


def test_a_head_without_end_is_refused(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=30) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nX: " + bytes(b"x" * (BYTES + 1)))
        assert _all_that_comes(wire).startswith(b"HTTP/1.1 431 ")


def test_a_body_may_take_longer_than_a_head(impatient: tuple[str, int]) -> None:
    with socket.create_connection(impatient, timeout=0.4) as wire:
        wire.sendall(b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GOOD))
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(30)
        wire.sendall(GOOD)
        assert wire.recv(2**16).startswith(b"HTTP/1.1 200 ")


# -- turns


class Held:
    """A detector that holds pictures until it is let go; it tells when one arrives."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, image: Image) -> Detections:
        if image.shape[:2] != (384, 640):
            self.arrived.release()
            assert self.go.wait(30)
        return empty(image.shape[1], image.shape[0])


def test_who_finds_no_place_is_told_when_to_come_again() -> None:
    held = Held()
    with (
        serving(build(FakeDetector(held), at_once=1, queue=1)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
        ThreadPoolExecutor(4) as pool,
    ):

        def ask() -> httpx.Response:
            return client.post("/v1/detect", content=GOOD)

        first = pool.submit(ask)
        assert held.arrived.acquire(timeout=30)
        others: list[Future[httpx.Response]] = [pool.submit(ask) for _ in range(2)]
        turned_away = next(one for one in _as_they_end(others))
        assert refusal(turned_away) == "BUSY"
        assert int(turned_away.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        held.go.set()
        assert first.result().status_code == 200
        assert sorted(one.result().status_code for one in others) == [200, 503]
        assert ask().status_code == 200


def _as_they_end(futures: list[Future[httpx.Response]]) -> Iterator[httpx.Response]:
    from concurrent.futures import as_completed

    for future in as_completed(futures, timeout=30):
        yield future.result()


def test_who_leaves_or_fails_gives_the_place_back() -> None:
    with serving(build(FakeDetector(see), at_once=1, queue=0)) as url:
        parts = urlsplit(url)
        head = b"POST /v1/detect HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
        with httpx.Client(base_url=url, timeout=60) as client:
            for _ in range(5):
                assert refusal(client.post("/v1/detect", content=b"rubbish")) == "UNSUPPORTED_IMAGE"
            with socket.create_connection((parts.hostname or "", parts.port or 0)) as wire:
                wire.sendall(head + GOOD[:1000])
            answers = (client.post("/v1/detect", content=GOOD).status_code for _ in range(1000))
            assert next(status for status in answers if status != 503) == 200


# -- rates


def test_a_bucket_fills_by_the_clock() -> None:
    clock = HeldClock(START_MS)
    rates = Rates(60, clock)
    assert [rates.wait("a") for _ in range(60)] == [0.0] * 60
    assert rates.wait("a") == pytest.approx(1.0)
    assert rates.wait("b") == 0
    clock.sleep(0.5)
    assert rates.wait("a") == pytest.approx(0.5)
    clock.sleep(0.5)
    assert rates.wait("a") == 0
    clock.sleep(3600)
    assert [rates.wait("a") > 0 for _ in range(61)] == [False] * 60 + [True]
    clock.sleep(-10)
    assert rates.wait("a") > 0


def test_a_key_that_asks_too_often_waits_and_no_other_does() -> None:
    with keyed(per_minute=2) as service, service.client("read") as reader, service.client("operate") as other:
        assert [reader.get("/v1/cameras").status_code for _ in range(2)] == [200, 200]
        refused = reader.get("/v1/cameras")
        assert refusal(refused) == "RATE_LIMITED"
        assert refused.headers["retry-after"] == "30"
        assert other.get("/v1/cameras").status_code == 200
        assert reader.get("/healthz").status_code == 200
        service.made.clock.sleep(30)
        assert reader.get("/v1/cameras").status_code == 200
