"""What the log says of requests and alerts, so that one of either can be followed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import structlog

from service.delivery.courier import Courier
from service.delivery.fake import FakeSender
from service.events import alert_message
from service.health import View
from service.ports import Attempt
from service.safety.detections import Detections
from service.store.fake import FakeStore
from service.telemetry import configure_logging
from tests.api.keyed import keyed
from tests.api.watched import Made, asked, origin
from tests.store.made import START_MS, HeldClock, alert, fired, message

MERGED = [structlog.contextvars.merge_contextvars]


def test_a_request_has_a_line_with_the_template_of_its_route_and_the_id_of_its_key() -> None:
    with structlog.testing.capture_logs(processors=MERGED) as logged, keyed() as service:
        client = service.client("read")
        client.get("/v1/alerts/12", headers={"X-Request-ID": "mine"})
        for path in ("/nothing", "/readyz", "/metrics"):
            client.get(path)
    asked_for = {"/v1/alerts/12", "/nothing", "/readyz", "/metrics"}  # not what a service before is late to tell
    lines = [line for line in logged if line["event"] == "request" and line["path"] in asked_for]
    key = service.tokens["read"].split("_")[1]
    first = {"route": "/v1/alerts/{alert}", "path": "/v1/alerts/12", "status": 404, "key": key, "request_id": "mine"}
    assert first.items() <= lines[0].items()
    assert lines[0]["ms"] >= 0
    assert "route" not in lines[1]
    assert len(lines[1]["request_id"]) == 32
    assert [line["log_level"] for line in lines] == ["info", "info", "debug", "debug"]


def test_pictures_that_a_screen_asks_for_all_the_time_do_not_fill_the_log(made: Made) -> None:
    seen = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), 64, 48)
    made.health.views["gate"] = View(np.zeros((48, 64, 3), np.uint8), (), seen, blurred=False)
    with structlog.testing.capture_logs(processors=MERGED) as logged, asked(made) as (client, _):
        tag = client.get("/v1/cameras/gate/picture").headers["etag"]
        client.get("/v1/cameras/gate/picture", headers={"If-None-Match": tag})
        client.get("/v1/cameras/dock/picture")
        client.get("/v1/pictures?camera=gate")
    asked_for = [line for line in logged if line["event"] == "request" and "/picture" in line["path"]]
    lines = [(line["status"], line["log_level"]) for line in asked_for]
    assert lines == [(200, "debug"), (304, "debug"), (404, "info"), (200, "debug")]


@pytest.mark.parametrize("sent", ["a" * 65, "two words", "x\u00e9", "a;b", ""])
def test_an_id_that_is_not_sane_is_replaced(client: httpx.Client, sent: str) -> None:
    answer = client.get("/v1/alerts/12", headers={"X-Request-ID": sent.encode()})
    found = answer.headers["x-request-id"]
    assert found == answer.json()["request_id"] != sent
    assert len(found) == 32


@pytest.fixture
def told_again() -> Iterator[None]:
    yield
    logging.getLogger("service.access").disabled = False


@pytest.mark.parametrize("wanted", [True, False])
def test_lines_of_requests_can_be_turned_off_and_no_others(
    made: Made, wanted: bool, capsys: pytest.CaptureFixture[str], told_again: None
) -> None:
    configure_logging("info", "json", requests=wanted)
    made.fire(1)
    with asked(made) as (client, _):
        client.post("/v1/alerts/0000000000000001/acknowledge", json={"by": "Kim"}, headers={"X-Request-ID": "mine"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (mark,) = [line for line in lines if line["event"] == "alert.acknowledged"]
    assert (mark["alert"], mark["request_id"]) == ("0000000000000001", "mine")
    told = [line["request_id"] for line in lines if line["event"] == "request"]
    assert told.count("mine") == wanted  # the service of a test before may still tell of its last request


def test_an_attempt_to_deliver_names_its_alert() -> None:
    store, one = FakeStore(["office"]), alert(1)
    store.record([fired(one)], [], [alert_message(fired(one), origin("gate"), 640, 360), message("m", "dock")])
    courier = Courier(store, {"office": FakeSender(lambda _: Attempt(done=False, why="HTTP 500"))}, HeldClock(START_MS))
    with structlog.testing.capture_logs() as logged:
        courier.deliver_due()
    courier.close()
    lines = {line["camera"]: line for line in logged}
    assert lines["gate"]["alert"] == one.id
    assert "alert" not in lines["dock"]


def test_a_client_that_says_who_it_is_is_answered_with_it(client: httpx.Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
