"""A camera is tried over HTTP: what it shows, how fast, how tall people are; or why it shows nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.worker.clock import SystemClock
from tests.api.conftest import build, serving
from tests.api.keyed import keyed
from tests.api.test_http_refusals import refusal
from tests.api.test_http_site import at
from tests.api.watched import Made
from tests.cameras.http_camera import Camera, http_camera
from tests.e2e.drawn import Worker, filmed, found, with_workers, yard
from tests.test_upkeep import TEXT


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[httpx.Client]:
    made = at(tmp_path, Made())
    app = build(FakeDetector(found), replace(made.desk(), clock=SystemClock()))
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def tried(desk: httpx.Client, source: str, **entry: Any) -> dict[str, Any]:
    answer: dict[str, Any] = desk.post("/v1/site/try", json={"source": source, **entry}).json()
    return answer


def test_a_camera_that_works_shows_its_picture_and_how_tall_people_are(desk: httpx.Client, tmp_path: Path) -> None:
    shown = filmed(with_workers(yard(), Worker(0.3), Worker(0.7, tall=0.25)))
    with http_camera(Camera(parts=shown, every=0.1)) as camera:
        told = tried(desk, camera.url)
    assert (told["works"], told["code"], told["width"], told["height"]) == (True, None, 960, 540)
    assert 5 < told["frames_per_second"] < 12
    assert [round(one, -1) for one in told["heights_px"]] == [270, 140]
    assert told["needed_px"].keys() == {"helmet", "vest"}
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(told["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (540, 960, 3)
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == TEXT


def test_what_its_zones_ignore_is_black_before_anything_looks(desk: httpx.Client) -> None:
    shown = filmed(with_workers(yard(), Worker(0.3), Worker(0.7, tall=0.25)))
    left = {"polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], "ignore": True}
    with http_camera(Camera(parts=shown, every=0.1)) as camera:
        told = tried(desk, camera.url, zones={"street": left})
    assert [round(one, -1) for one in told["heights_px"]] == [140]
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(told["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn[:, :470].max() <= 20
    assert drawn[:, 490:].mean() > 50


@pytest.mark.parametrize(
    ("camera", "code"),
    [(Camera(login=("ann", "pass")), "STREAM_AUTH_FAILED"), (Camera(status=404), "STREAM_NOT_FOUND")],
)
def test_one_that_does_not_says_why(desk: httpx.Client, camera: Camera, code: str) -> None:
    with http_camera(camera):
        told = tried(desk, camera.url)
    assert (told["works"], told["code"], told["picture"], told["width"]) == (False, code, None, None)
    assert told["detail"]


def test_where_nothing_listens_is_told(desk: httpx.Client) -> None:
    assert tried(desk, "http://127.0.0.1:9/video")["code"] == "STREAM_CONNECTION_FAILED"


def test_what_the_site_file_would_not_take_is_refused(desk: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANY_SECRET", "canary")
    for entry in (
        {"source": "rtsp://a:canary@10.0.0.5/"},
        {"source": "http://169.254.169.254/latest"},
        {"source": "rtsp://10.0.0.5/", "user": "a", "password_env": "ANY_SECRET"},
        {"source": "rtsp://10.0.0.5/", "fps": 99},
    ):
        answer = desk.post("/v1/site/try", json=entry)
        assert refusal(answer) == "SITE_INVALID"
        assert "canary" not in answer.text


def test_it_takes_an_admin_where_there_are_keys_and_is_written_down() -> None:
    with keyed() as found:
        with found.client("operate") as client:
            assert refusal(client.post("/v1/site/try", json={"source": "rtsp://10.0.0.5/"})) == "FORBIDDEN"
        with found.client("admin") as client:
            assert refusal(client.post("/v1/site/try", json={"source": "rtsp://10.0.0.5/"})) == "SITE_UNWRITABLE"
        done = [(entry.action, entry.object) for entry in found.entries() if entry.action == "camera.try"]
    assert done == [("camera.try", "rtsp://10.0.0.5/")]
