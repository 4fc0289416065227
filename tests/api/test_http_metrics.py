"""What Prometheus reads: every documented name and no other, counts that move, and labels that nobody can add to."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import structlog
from fastapi.testclient import TestClient
from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.api.scrape import STATUSES, Scrape
from service.delivery.courier import Courier
from service.delivery.fake import FakeSender
from service.detectors.fake import FakeDetector
from service.detectors.measured import Measured
from service.metrics import Metrics, Skipped
from service.ports import Attempt, CameraState, Detector, Frame, Image, StoreUnavailable
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.store.fake import FakeStore
from service.worker.health import Health
from tests.api.conftest import build
from tests.api.keyed import keyed
from tests.api.made_pictures import Scene, see
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made
from tests.delivery.scripted import SECRET
from tests.store.made import START_MS, alert, ended, fired, message
from tests.worker.plays import grey

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text(encoding="utf-8")


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(text: str, name: str, **labels: str) -> float | None:
    for family in families(text).values():
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


class Watching:
    """A service that watches two cameras and tells one endpoint, asked without a socket."""

    def __init__(self, detector: Detector | None = None) -> None:
        self.metrics = Metrics()
        self.made = Made(FakeStore(["office"]))
        self.health = Health(["gate", "dock"], self.made.clock, self.metrics)
        self.answers: dict[str, list[Attempt]] = {}
        self.courier = Courier(
            self.made.store,
            {"office": FakeSender(lambda one: self.answers[one.id].pop(0))},
            self.made.clock,
            metrics=self.metrics,
        )
        desk = replace(self.made.desk(), health=self.health)
        self.app = build(Measured(detector or FakeDetector(see), self.metrics), desk, metrics=self.metrics)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def text(self) -> str:
        return generate_latest(Scrape(self.app)).decode()


@pytest.fixture
def watching() -> Iterator[Watching]:
    found = Watching()
    with structlog.testing.capture_logs(), found.client:
        yield found


def test_it_is_text_that_prometheus_parses(watching: Watching) -> None:
    answer = watching.client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=x;q=0.5"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {"ppe_ready", "process_open_fds", "ppe_camera_frames_read"} <= families(answer.text).keys()
    assert "_created" not in answer.text


def documented() -> dict[str, set[str]]:
    """The names of the page's table, with their labels."""
    rows = re.findall(r"^\| `((?:ppe|process)_[a-z_]+)` \|([^|]*)\|", PAGE, re.MULTILINE)
    return {name: set(re.findall(r"`([a-z_]+)`", labels)) for name, labels in rows}


def test_the_page_lists_every_metric_with_its_labels_and_nothing_that_is_gone(watching: Watching) -> None:
    judged(watching)
    watching.client.get("/healthz")
    found = {}
    for family in families(watching.text()).values():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = set().union(*(sample.labels for sample in family.samples)) - {"le"}
    assert documented() == found


def test_a_request_is_timed_by_its_route(watching: Watching) -> None:
    client = watching.client
    for path in ("/v1/alerts/1", "/v1/alerts/2", "/nothing"):
        client.get(path)
    client.post("/v1/detect", content=Scene().encoded())
    client.post("/v1/detect", content=b"no picture")
    text = watching.text()
    count = "ppe_http_request_duration_seconds_count"
    assert value(text, count, route="/v1/alerts/{alert}", method="GET", status="4xx") == 2
    assert value(text, count, route="other", method="GET", status="4xx") == 1
    assert value(text, count, route="/v1/detect", method="POST", status="2xx") == 1
    assert value(text, "ppe_http_request_duration_seconds_bucket", route="/v1/detect", le="+Inf") == 1
    assert value(text, "ppe_images_total", outcome="judged") == 1
    assert value(text, "ppe_images_total", outcome="UNSUPPORTED_IMAGE") == 1


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.thorough)])
def test_odd_requests_add_no_series(watching: Watching, count: int) -> None:
    async def ask(numbers: range) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(watching.app), base_url="http://ppe") as client:
            for number in numbers:
                paths = (
                    f"/{number}",
                    f"/v1/alerts/{number}",
                    f"/v1/cameras/{number}?x={number}",
                    f"/docs-assets/{number}",
                )
                method = f"M{number}" if number % 5 == 0 else "GET"
                await client.request(method, paths[number % 4], headers={"X-Request-ID": f"r{number}"})

    anyio.run(ask, range(20))
    series = len(watching.text().splitlines())
    anyio.run(ask, range(20, count))
    assert len(watching.text().splitlines()) == series


def judged(watching: Watching, unseen: Skipped | None = None) -> None:
    """Let the gate judge a frame that is 0.3 s old."""
    clock = watching.made.clock
    frame = Frame(grey(0), Moment(clock.now().seconds - 0.3, 0), 4)
    watching.health.pulse("gate").judged(frame, 2, clock, unseen=unseen)


def test_what_a_watch_does_is_counted(watching: Watching) -> None:
    pulse = watching.health.pulse("gate")
    for number in (0, 1, 4):
        pulse.metrics.read(number)
    judged(watching)
    judged(watching, "still")
    pulse.metrics.changed([fired(alert(1)), ended(alert(1)), fired(alert(2)), ended(alert(2), kind="lost_sight")])
    pulse.metrics.failed()
    watching.health.died("gate")
    text = watching.text()
    assert value(text, "ppe_camera_frames_read_total", camera="gate") == 3
    assert value(text, "ppe_camera_frames_dropped_total", camera="gate") == 2
    assert value(text, "ppe_camera_frames_judged_total", camera="gate") == 1
    assert value(text, "ppe_camera_frames_skipped_total", camera="gate", reason="still") == 1
    assert value(text, "ppe_camera_judged_delay_seconds_bucket", camera="gate", le="0.2") == 0
    assert value(text, "ppe_camera_judged_delay_seconds_bucket", camera="gate", le="0.35") == 1
    assert value(text, "ppe_camera_detector_failures_total", camera="gate") == 1
    assert value(text, "ppe_camera_watch_failures_total", camera="gate") == 1
    for kind, count in {"fired": 2, "resolved": 1, "lost_sight": 1, "updated": 0}.items():
        assert value(text, "ppe_alert_changes_total", camera="gate", equipment="helmet", kind=kind) == count
    assert value(text, "ppe_alert_changes_total", camera="dock", equipment="vest", kind="fired") == 0


def test_a_source_that_is_opened_anew_drops_nothing(watching: Watching) -> None:
    metrics = watching.health.pulse("gate").metrics
    for number in (0, 900, 0, 1):
        metrics.read(number)
    assert value(watching.text(), "ppe_camera_frames_dropped_total", camera="gate") == 899


def test_a_camera_is_in_one_state_at_a_time(watching: Watching) -> None:
    watching.health.pulse("gate").state(CameraState("live", Moment(0, 0)))
    text = watching.text()
    states = {state: value(text, "ppe_camera_state", camera="gate", state=state) for state in STATUSES}
    assert states == {state: float(state == "live") for state in STATUSES}
    assert value(text, "ppe_camera_can_judge", camera="gate", equipment="vest") == 1
    assert value(text, "ppe_camera_can_judge", camera="dock", equipment="vest") == 0


def test_a_camera_that_the_site_has_no_more_is_told_of_no_more(watching: Watching) -> None:
    assert 'camera="dock"' in watching.text()
    watching.health.remove("dock")
    assert 'camera="dock"' not in watching.text()
    watching.health.add("dock")
    assert value(watching.text(), "ppe_camera_frames_read_total", camera="dock") == 0


def test_deliveries_are_counted_and_timed(watching: Watching) -> None:
    watching.made.store.record([], [], [message("a"), message("b"), message("c"), message("d", "dock")])
    watching.answers = {
        "a": [Attempt(done=False, why="HTTP 500"), Attempt(done=False, give_up=True)],
        "b": [Attempt(done=False, gone=True)],
        "d": [Attempt(done=True)],
    }
    watching.made.clock.wall_ms = START_MS + 700
    watching.courier.deliver_due()
    text = watching.text()
    assert value(text, "ppe_outbox_pending_messages", endpoint="office") == 3
    assert value(text, "ppe_outbox_oldest_pending_seconds", endpoint="office") == 0.7
    watching.made.clock.wall_ms += 3_600_000
    watching.courier.deliver_due()
    watching.courier.deliver_due()
    text = watching.text()
    for outcome in ("delivered", "failed", "dead", "gone"):
        assert value(text, "ppe_delivery_attempts_total", endpoint="office", outcome=outcome) == 1
    assert value(text, "ppe_delivery_latency_seconds_bucket", endpoint="office", le="0.5") == 0
    assert value(text, "ppe_delivery_latency_seconds_bucket", endpoint="office", le="1.0") == 1
    assert value(text, "ppe_outbox_dead_messages", endpoint="office") == 1
    assert value(text, "ppe_outbox_endpoint_enabled", endpoint="office") == 0


def test_the_detector_is_timed_and_its_failures_counted() -> None:
    let = threading.Event()

    def look(image: Image) -> Detections:
        let.wait(20)
        if not image.any():
            raise RuntimeError("no light")
        return see(image)

    metrics = Metrics()
    detector = Measured(FakeDetector(look), metrics)
    looks = [detector.submit(grey(0)), detector.submit(grey(9))]
    assert metrics.registry.get_sample_value("ppe_detector_requests_in_progress") == 2
    let.set()
    assert looks[0].exception() is not None
    looks[1].result()
    detector.close()
    assert metrics.registry.get_sample_value("ppe_detector_requests_in_progress") == 0
    assert metrics.registry.get_sample_value("ppe_detector_request_duration_seconds_count") == 2
    assert metrics.registry.get_sample_value("ppe_detector_failures_total") == 1


class Broken(FakeStore):
    def room(self) -> Any:
        raise StoreUnavailable("no disk")


def test_a_store_that_can_t_tell_is_down_and_everything_else_is_told() -> None:
    watching = Watching()
    watching.made.store = Broken()
    watching.app.state.desk = watching.made.desk()
    with structlog.testing.capture_logs():
        text = watching.text()
    assert value(text, "ppe_store_up") == 0
    assert value(text, "ppe_store_free_bytes") is None
    assert value(text, "ppe_camera_people", camera="gate") == 3


def test_it_needs_a_key_where_there_are_keys_and_holds_none() -> None:
    with keyed() as service:
        assert refusal(service.client().get("/metrics")) == "UNAUTHENTICATED"
        assert refusal(service.client("detect").get("/metrics")) == "FORBIDDEN"
        hidden = [*service.tokens.values(), SECRET]
        ask = service.client("read")
        for secret in hidden:
            ask.get(f"/{secret}?api_key={secret}", headers={"X-Request-ID": secret[:60], "User-Agent": secret})
        text = ask.get("/metrics").text
    assert "ppe_ready 1.0" in text
    assert [secret for secret in hidden if secret in text] == []


def test_two_applications_share_no_count() -> None:
    first, second = Metrics(), Metrics()
    first.image("judged")
    assert second.registry.get_sample_value("ppe_images_total", {"outcome": "judged"}) == 0
