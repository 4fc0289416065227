"""`ppe watch site.yaml` and `ppe serve --site` as processes: cameras in, signed webhooks out, a clean end."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import httpx
import psutil
import pytest

from service.delivery.receiver import Arrival
from service.safety.alerts import Alert
from service.store.store import Store
from tests.cameras.http_camera import Camera, alive, http_camera
from tests.cli.workers import photo
from tests.e2e.commands import eventually, ppe, receiving, site_file, types
from tests.pictures.films import film


def kept(store: Path) -> tuple[list[Alert], int]:
    """Return the alerts of a store that was closed, and how many of its messages wait for the endpoint."""
    with Store(store, ["here"]) as opened:
        return opened.alerts(), opened.backlog()["here"].pending


@pytest.mark.thorough
def test_a_film_in_a_site_file_is_watched_to_its_end_and_told(tmp_path: Path) -> None:
    source = film(tmp_path / "yard.mp4", pictures=60, rate=10)
    with receiving() as (receiver, arrivals):
        site = site_file(tmp_path, source, receiver.port)
        with ppe(tmp_path / "store", "watch", site) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Watching gate (alerting)" in said
    assert "Traceback" not in said
    assert types(arrivals) == ["alert.fired", "alert.resolved"]
    (alert,), waiting = kept(tmp_path / "store")
    assert alert.ending == "lost_sight"  # the film ended
    assert arrivals[0].event
    assert arrivals[0].event["data"]["alert"] == alert.id
    assert alert.equipment == "vest"
    assert waiting == 0
    stills = sorted(path.name for path in (tmp_path / "store" / "evidence").rglob("*.jpg"))
    assert stills == ["annotated.jpg", "clean.jpg", "crop.jpg"]


@pytest.mark.thorough
def test_a_live_camera_is_watched_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with http_camera(Camera(parts=alive(320, 240), every=0.1)) as camera, receiving() as (receiver, arrivals):
        site = site_file(tmp_path, camera.url, receiver.port)
        with ppe(tmp_path / "store", "watch", site) as process:
            assert eventually(lambda: types(arrivals) == ["alert.fired"])
            decoders = psutil.Process(process.pid).children()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert len(decoders) == 1
        assert not decoders[0].is_running()
    (alert,), waiting = kept(tmp_path / "store")
    assert alert.ended is None  # it goes on with the next start
    assert waiting == 0
    assert types(arrivals) == ["alert.fired"]


def ask_of_what_is_watched(url: str, arrival: Arrival) -> None:
    """Follow a webhook's links, say something of its alert, and look at its camera."""
    assert arrival.event
    told = arrival.event["data"]
    with httpx.Client(base_url=url, timeout=30) as client:
        for kind, path in told["evidence"].items():
            if kind != "clip":
                assert client.get(path).content.startswith(b"\xff\xd8")
        assert eventually(lambda: client.get(told["evidence"]["clip"]).status_code != 202)  # it is still being filmed
        clip = client.get(told["evidence"]["clip"])
        assert (clip.status_code, clip.headers["content-type"], clip.content[4:8]) == (200, "video/mp4", b"ftyp")
        said = client.post(f"/v1/alerts/{told['alert']}/acknowledge", json={"by": "Kim"}).json()
        assert [change["kind"] for change in said["changes"]] == ["fired", "acknowledged"]
        (listed,) = client.get("/v1/alerts?status=open&acknowledged=true").json()["alerts"]
        assert (listed["id"], listed["camera"]) == (told["alert"], told["camera"])
        camera = client.get("/v1/cameras/gate").json()
        assert (camera["status"], camera["people"], camera["can_judge"]) == ("live", 2, True)
        assert client.get("/v1/stats").json()["total"]["worn_s"] > 0


def test_serving_and_watching_in_one_process(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.jpg").read_bytes()
    with http_camera(Camera(parts=alive(320, 240), every=0.1)) as camera, receiving() as (receiver, arrivals):
        site = site_file(tmp_path, camera.url, receiver.port)
        with ppe(tmp_path / "store", "serve", "--port", 0, "--site", site) as process:
            assert process.stdout
            found = re.search(r"Listening on (http://127\.0\.0\.1:\d+) ", process.stdout.readline())
            assert found
            answer = httpx.post(f"{found[1]}/v1/detect", files={"image": ("a.jpg", picture)}, timeout=30)
            assert answer.status_code == 200
            assert eventually(lambda: types(arrivals) == ["alert.fired"])
            ask_of_what_is_watched(found[1], arrivals[0])
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=40)
        assert process.returncode == 0, said
        assert "Watching gate (alerting)" in said
        assert "watch.died" not in said
        assert "Traceback" not in said
    (alert,), waiting = kept(tmp_path / "store")
    assert (alert.equipment, alert.ended, waiting) == ("vest", None, 0)
