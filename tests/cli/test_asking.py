"""`ppe replay` and `ppe site calibrate` of a stopped store and of a running service: both tell the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.ports import EventStore
from service.safety.moment import Moment
from service.store.store import Store
from tests.api.watched import Made, asked
from tests.cli.workers import run, two_workers
from tests.pictures.films import film
from tests.store.made import START_MS

SITE = "cameras: {gate: rtsp://10.0.0.5/a}\n"
ZONED = "cameras: {gate: {source: rtsp://10.0.0.5/a, zones: {left: {polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}}}}\n"
PICTURE = np.zeros((360, 640, 3), np.uint8)


def remember(store: EventStore, start_ms: int, camera: str = "gate", frames: int = 20) -> None:
    for index in range(frames):
        at = Moment(100 + index / 2.5, start_ms + 400 * index)
        store.remember(camera, at, two_workers(PICTURE))
        store.count(camera, at, {("yard", "helmet", "worn"): 8.0, ("yard", "vest", "missing"): 8.0}, [84.0, 86.0])


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Path]:
    now = time.time_ns() // 1_000_000
    with Store(tmp_path / "store", ()) as store:
        remember(store, now - 20_000)
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "zoned.yaml").write_text(ZONED)
    yield tmp_path


def test_a_stopped_store_is_compared(stopped: Path) -> None:
    more = ("--store", stopped / "store", "--camera", "gate", "--compare", stopped / "zoned.yaml")
    unknown = run("replay", *more)
    assert (unknown.exit_code, "--site: name the site file that is in use" in unknown.stderr) == (2, True)
    told = json.loads(run("replay", *more, "--site", stopped / "site.yaml", "--json").stdout)
    assert told["frames"] == 20
    assert [alert["zone"] for alert in told["only_before"]] == ["whole-picture"]
    assert told["after"]["person_seconds"]["vest"]["missing"] == 0


def test_people_on_a_camera_are_measured(stopped: Path) -> None:
    picture = stopped / "sizes.png"
    result = run("site", "calibrate", "gate", "--store", stopped / "store", "--out", picture)
    assert result.exit_code == 1, result.stderr
    assert "160 person-seconds: people are 81 to 89 px as the model sees them" in result.stdout
    assert "as it is: large enough for helmet 0%, vest 0% of the time, 1 look a frame" in result.stdout
    assert "use its main stream" in result.stdout
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.shape[1] == 960


def test_a_running_service_tells_the_same_and_knows_its_scene(stopped: Path) -> None:
    made = Made()
    remember(made.store, START_MS)
    with asked(made) as (client, app):
        service = ("--service", str(client.base_url))
        more = ("--camera", "gate", "--compare", stopped / "zoned.yaml")
        told = json.loads(run("replay", *service, *more, "--json").stdout.splitlines()[-1])
        assert (told["frames"], told["before"]["site"]) == (20, "the service now")
        unknown = run("replay", *service, "--camera", "roof", "--compare", stopped / "zoned.yaml")
        assert (unknown.exit_code, "CAMERA_NOT_FOUND" in unknown.stderr) == (2, True)
        found = client.get("/v1/cameras/gate/heights").json()
        assert (found["heights"], found["person_seconds"]) == ([{"from_px": 80, "seen": 40}], 160)
        assert client.get("/readyz").status_code == 200
        app.state.fault = lambda: "person is not seen"
        refused = client.get("/readyz")
        assert (refused.status_code, "person is not seen" in refused.json()["detail"]) == (503, True)


def test_a_camera_that_nobody_passed_is_said(stopped: Path) -> None:
    result = run("site", "calibrate", "dock", "--store", stopped / "store")
    assert (result.exit_code, "nobody was seen on dock" in result.stderr) == (2, True)


def test_a_film_is_measured_without_a_store(tmp_path: Path) -> None:
    yard = film(tmp_path / "yard.mp4", pictures=20, rate=10)
    result = run("site", "calibrate", "yard", "--source", yard, "--out", tmp_path / "sizes.png", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["enough_seen"], told["camera"]) == (1, False, "yard")
    assert told["person_seconds"] > 1
    assert (tmp_path / "sizes.png").is_file()
