"""Events as they happen: what a listener hears, where it goes on, and when it is let go."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import structlog

from service.api.stream import MOST_MISSED, PAGE, Listeners
from service.detectors.fake import FakeDetector
from service.ports import StoreUnavailable
from service.store.fake import FakeStore
from tests.api.conftest import build, serving
from tests.api.keyed import keyed
from tests.api.made_pictures import see
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked
from tests.store.made import message

PATH = "/v1/events/stream"


@dataclass(frozen=True)
class Heard:
    """One event."""

    id: str
    event: str
    data: Any


class Ear:
    """Reads events off an answer, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def block(self) -> list[str]:
        """The lines up to the next empty one."""
        found = []
        for line in self._lines:
            if not line:
                return found
            found.append(line)
        raise EOFError

    def next(self) -> Heard:
        """The next event; signs of life are passed over."""
        while True:
            fields = dict(line.split(": ", 1) for line in self.block())
            if "event" in fields:
                return Heard(fields.get("id", ""), fields["event"], json.loads(fields["data"]))

    def ids(self, count: int) -> list[str]:
        return [self.next().id for _ in range(count)]


@contextmanager
def listening(client: httpx.Client, query: str = "", last: str | None = None, url: str = "") -> Iterator[Ear]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with client.stream("GET", url + PATH + query, headers=headers) as response:
        assert response.status_code == 200, response.read()
        yield Ear(response)


def tell(made: Made, *names: str, camera: str = "gate", kind: str = "alert.fired", ring: bool = True) -> None:
    body = {"type": kind, "timestamp": "2026-03-02T13:03:09.320Z", "data": {}}
    told = [replace(message(name, camera), type=kind, payload=json.dumps(body)) for name in names]
    made.store.record([], [], told)
    if ring:
        made.bell.ring()


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for what another thread does, at most ten seconds."""
    ends = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < ends
        select.select([], [], [], 0.005)


def test_what_happens_is_told_to_whoever_listens_with_no_endpoint_at_all(made: Made) -> None:
    tell(made, "before")
    with asked(made) as (client, _), listening(client) as ear:
        assert ear.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert ear.response.headers["cache-control"] == "no-store"
        assert ear.response.headers["x-accel-buffering"] == "no"
        assert ear.next() == Heard("before", "cursor", {"type": "cursor"})
        tell(made, "msg_1")
        heard = ear.next()
        assert (heard.id, heard.event, heard.data["type"]) == ("msg_1", "alert.fired", "alert.fired")
        tell(made, "msg_2", kind="camera.offline")
        assert ear.next().event == "camera.offline"


def test_who_comes_back_is_told_what_was_missed_once_and_in_order(made: Made) -> None:
    names = [f"msg_{number}" for number in range(2 * PAGE + 5)]
    tell(made, *names)
    with asked(made) as (client, _), listening(client, last="msg_3") as ear:
        assert ear.next() == Heard("msg_3", "cursor", {"type": "cursor"})
        assert ear.ids(len(names) - 4) == names[4:]
        tell(made, "new")
        assert ear.next().id == "new"


def test_who_missed_too_much_is_told_so_and_goes_on_from_now(made: Made) -> None:
    tell(made, *(f"msg_{number}" for number in range(MOST_MISSED + 1)))
    with asked(made) as (client, _):
        with listening(client, last="msg_0") as ear:  # as much as is told
            assert ear.next() == Heard("msg_0", "cursor", {"type": "cursor"})
            assert ear.ids(MOST_MISSED)[-1] == f"msg_{MOST_MISSED}"
        tell(made, "one more")
        for last in ("msg_0", "msg_unknown"):
            with listening(client, last=last) as ear:
                assert ear.next() == Heard("one more", "missed", {"type": "missed", "after": last})
        with listening(client, last="msg_0") as ear:
            ear.next()
            tell(made, "new")
            assert ear.next().id == "new"


WISHES = {
    "?camera=dock": ["c"],
    "?type=camera.offline": ["b"],
    "?camera=gate,dock&type=alert.fired,alert.resolved": ["a", "c"],
}


def test_a_listener_hears_what_it_wants(made: Made) -> None:
    tell(made, "start")
    tell(made, "a")
    tell(made, "b", kind="camera.offline")
    tell(made, "c", camera="dock")
    with asked(made) as (client, _):
        for query, names in WISHES.items():
            with listening(client, query, last="start") as ear:
                assert ear.next().id == "start"
                assert ear.ids(len(names)) == names


def test_signs_of_life_move_on_whoever_wants_little(made: Made) -> None:
    with asked(made) as (client, app):
        app.state.listeners = Listeners(4, heartbeat=0.02)
        with listening(client, "?type=alert.resolved") as ear:
            assert ear.block() == ["event: cursor", 'data: {"type": "cursor"}']
            assert ear.block() == [": still here"]
            tell(made, "passed")
            assert ear.next() == Heard("passed", "cursor", {"type": "cursor"})
            assert ear.block() == [": still here"]


def test_a_ring_that_nobody_heard_costs_a_heartbeat_and_no_event(made: Made) -> None:
    with asked(made) as (client, app):
        app.state.listeners = Listeners(4, heartbeat=0.02)
        with listening(client) as ear:
            tell(made, "quiet", ring=False)
            assert [ear.next().id, ear.next().id] == ["", "quiet"]


def test_parameters_are_checked(made: Made) -> None:
    with asked(made) as (client, _):
        refused = client.get(f"{PATH}?type=alert.fird")
        assert refusal(refused) == "PARAMETER_INVALID"
        assert refused.json()["detail"].startswith("type: say some of")
        assert refusal(client.get(f"{PATH}?kamera=gate")) == "PARAMETER_INVALID"
        refused = client.get(f"{PATH}?camera=gate,attic")
        assert refusal(refused) == "CAMERA_NOT_FOUND"
        assert "no camera attic" in refused.json()["detail"]


def test_a_service_that_watches_nothing_has_no_events(client: httpx.Client) -> None:
    assert refusal(client.get(PATH)) == "NOT_WATCHING"


def test_only_so_many_listen_and_a_place_is_free_again(made: Made) -> None:
    app = build(FakeDetector(see), made.desk(), listeners=1)
    with serving(app) as url, httpx.Client(base_url=url, timeout=20) as client:
        with listening(client) as ear:
            ear.next()
            full = client.get(PATH)
            assert refusal(full) == "LISTENERS_FULL"
            assert full.headers["retry-after"] == "15"
            assert client.get("/v1/alerts").status_code == 200
        wait_for(lambda: app.state.listeners.count == 0)
        with listening(client) as ear:
            ear.next()


class Broken(FakeStore):
    """A store that can be put out of order."""

    broken = False

    def told_after(self, number: int, most: int) -> Any:
        if self.broken:
            raise StoreUnavailable("no disk")
        return super().told_after(number, most)


def test_a_store_that_can_t_tell_costs_no_event() -> None:
    made = Made(Broken())
    assert isinstance(made.store, Broken)
    with asked(made) as (client, app):
        app.state.listeners = Listeners(4, heartbeat=0.02)
        with structlog.testing.capture_logs(), listening(client) as ear:
            ear.next()
            made.store.broken = True
            tell(made, "late")
            assert ear.block() == [": still here"]
            made.store.broken = False
            assert ear.next().id == "late"


def test_who_takes_nothing_is_cut_off_and_holds_up_nobody() -> None:
    made, hasty = Made(), Listeners(4, patience=0.05)
    payload = json.dumps({"type": "alert.fired", "filler": "x" * 18_000})
    with asked(made) as (client, app), structlog.testing.capture_logs() as logged, socket.socket() as lazy:
        patient, app.state.listeners = app.state.listeners, hasty
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect((client.base_url.host, client.base_url.port))
        lazy.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert lazy.recv(17) == b"HTTP/1.1 200 OK\r\n"  # it takes no more than that
        app.state.listeners = patient
        with listening(client) as ear:
            ear.next()
            for number in range(400):
                made.store.record([], [], [replace(message(f"m{number}"), payload=payload)])
            made.bell.ring()
            assert ear.ids(400)[-1] == "m399"
            wait_for(lambda: hasty.count == 0)
            tell(made, "after")
            assert ear.next().id == "after"
    assert app.state.metrics.registry.get_sample_value("ppe_event_listeners_dropped_total") == 1
    assert [line["event"] for line in logged if line["log_level"] in {"warning", "error"}] == ["listener.too_slow"]


def test_open_streams_end_when_the_service_stops(made: Made) -> None:
    with httpx.Client(timeout=20) as client, ExitStack() as streams:
        with serving(build(FakeDetector(see), made.desk())) as url:
            ears = [streams.enter_context(listening(client, url=url)) for _ in range(3)]
            for ear in ears:
                ear.next()
            began = time.monotonic()
        assert time.monotonic() - began < 2.0
        for ear in ears:
            with pytest.raises(EOFError):  # the answer has its end: nothing was cut off
                ear.next()


def test_whose_key_is_revoked_hears_nothing_more() -> None:
    with keyed() as service, service.client("read") as client, service.client("admin") as admin:
        assert refusal(service.client().get(PATH)) == "UNAUTHENTICATED"
        assert refusal(service.client("detect").get(PATH)) == "FORBIDDEN"
        with listening(client) as ear:
            ear.next()
            tell(service.made, "heard")
            assert ear.next().id == "heard"
            key = service.tokens["read"].split("_")[1]
            assert admin.delete(f"/v1/keys/{key}").status_code == 200
            tell(service.made, "not heard")
            with pytest.raises(EOFError):
                ear.next()
