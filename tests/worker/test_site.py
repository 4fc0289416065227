"""A whole site, put together by `wiring.watching`: cameras, store and delivery, and what keeps them from starting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.detectors.fake import FakeDetector
from service.detectors.lent import lent
from service.inquiry import Span, Wanted
from service.ports import Image
from service.safety.detections import Detections
from service.settings import Settings
from service.sitefile import SiteFile, parse_site
from service.store.store import Store
from service.wiring import WiringError, bad_sources, watching
from service.wiring.cameras import SiteCameras
from service.worker.clock import SystemClock
from service.worker.health import Health
from tests.cli.workers import two_workers
from tests.pictures.films import film
from tests.store.made import alert, fired

SECRET = "whsec_" + "c2VjcmV0LWNhbmFyeS1zZWNyZXQtY2FuYXJ5LTMy"
HOOK = "endpoints: {here: {url: http://127.0.0.1:9/, secret_env: HOOK_SECRET, lan: true}}\n"

Site = Callable[[str], SiteFile]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Read a site file's text; it may name yard.mp4, six seconds of film."""
    film(tmp_path / "yard.mp4", pictures=60, rate=10)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return lambda text: parse_site(text, tmp_path / "site.yaml")


def watch_to_the_end(site: SiteFile, folder: Path) -> Store:
    """Watch until all films have ended; return the store, opened again for an endpoint."""
    detector = FakeDetector(two_workers)
    with capture_logs(), watching(site, Settings(store=folder), detector) as running:
        assert running.wait(30)
    detector.close()
    return Store(folder, ["here"])


def test_observing_records_and_sends_nothing_then_or_later(site: Site, tmp_path: Path) -> None:
    observed = site(f"mode: observe\ncameras: {{yard: yard.mp4}}\n{HOOK}")
    with watch_to_the_end(observed, tmp_path / "store") as store:
        (found,) = store.alerts()
        assert (found.camera, found.equipment) == ("yard", "vest")
        history = store.alert(found.id)
        assert history
        assert sorted(history.evidence) == ["annotated", "clean", "clip", "crop"]
        assert store.backlog()["here"].pending == 0


def test_what_is_watched_can_be_asked(site: Site, tmp_path: Path) -> None:
    text = "name: Plant 4\ncameras: {yard: {source: yard.mp4, name: The yard}, roof: yard.mp4}\n"
    detector = FakeDetector(two_workers)
    with capture_logs(), watching(site(text), Settings(store=tmp_path / "store"), detector) as running:
        assert running.wait(30)
        desk = running.desk
        assert [(one.camera, one.state.status) for one in desk.health.reports()] == [
            ("yard", "ended"),
            ("roof", "ended"),
        ]
        assert {one.people for one in desk.health.reports()} == {2}
        (found,) = desk.records.find(Wanted(camera="yard"), 10)
        assert {"annotated", "clean", "crop"} <= set(found.evidence)  # and the clip, once it is written
        assert sum(one.worn for one in desk.records.compliance(Span(0, 2**53), ["camera"])) > 5
        assert (desk.origin("yard").camera.name, desk.origin("gone").camera.name) == ("The yard", "gone")
    detector.close()


def test_a_camera_that_becomes_a_recording_leaves_its_share_to_the_others(site: Site, tmp_path: Path) -> None:
    before = site("cameras: {yard: rtsp://127.0.0.1:9/, roof: rtsp://127.0.0.1:9/}\n")
    after = site("cameras: {yard: yard.mp4, roof: rtsp://127.0.0.1:9/}\n")
    detector, clock = FakeDetector(two_workers), SystemClock()
    with capture_logs(), Store(tmp_path / "store", []) as store:
        cameras = SiteCameras(detector, store, clock, lambda: None, Health(before.cameras, clock))
        for camera in before.cameras:
            cameras.watch(before, camera)
        cameras.watch(after, "yard")
        seated = list(cameras._governor._seats)
        assert cameras.supervisor.stop()
        cameras.writer.close()
    detector.close()
    assert seated == ["roof"]


def test_alerting_keeps_what_nobody_takes(site: Site, tmp_path: Path) -> None:
    with watch_to_the_end(site(f"cameras: {{yard: yard.mp4}}\n{HOOK}"), tmp_path / "store") as store:
        assert [one.ending for one in store.alerts()] == ["lost_sight"]
        assert store.backlog()["here"].pending == 2


def test_films_are_watched_beside_each_other_and_a_damaged_one_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    three = site(f"cameras: {{yard: yard.mp4, gate: yard.mp4, dock: broken.mp4}}\n{HOOK}")
    with watch_to_the_end(three, tmp_path / "store") as store:
        assert {one.camera for one in store.alerts()} == {"yard", "gate"}
        assert store.backlog()["here"].pending == 5


def test_a_film_is_remembered_with_its_own_pace(site: Site, tmp_path: Path) -> None:
    with watch_to_the_end(site("cameras: {yard: {source: yard.mp4, fps: 2.5}}\n"), tmp_path / "store") as store:
        moments = [at for at, _ in store.recording("yard")]
    assert len(moments) == 15
    assert moments[-1].since(moments[0]) == pytest.approx(5.6, abs=0.01)
    assert moments[-1].wall_ms - moments[0].wall_ms == pytest.approx(5600, abs=10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cameras: {gate: ftp://10.0.0.5/a}\n", "cameras.gate.source: ftp: is no kind of camera"),
        ("cameras: {gate: nowhere.mp4}\n", "cameras.gate.source: there is no file or folder nowhere.mp4"),
        (f"cameras: {{yard: yard.mp4}}\n{HOOK.replace(', lan: true', '')}", "endpoint here: a webhook URL begins"),
        (
            f"cameras: {{yard: yard.mp4}}\n{HOOK.replace('HOOK_SECRET', 'NOT_SET')}",
            "endpoint here: a webhook secret is",
        ),
    ],
)
def test_what_keeps_a_site_from_starting_starts_nothing(site: Site, tmp_path: Path, text: str, words: str) -> None:
    with (
        pytest.raises(WiringError, match=words),
        watching(site(text), Settings(store=tmp_path / "store"), FakeDetector()),
    ):
        pytest.fail("it started")
    assert not (tmp_path / "store").exists()


def test_a_detector_that_never_answers_starts_nothing(site: Site, tmp_path: Path) -> None:
    def fails(_: Image) -> Detections:
        raise RuntimeError("no kernel for this device")

    detector = FakeDetector(fails)
    says = r"the detector fake 1 fails on a grey picture.*\(RuntimeError: no kernel for this device\)"
    with (
        pytest.raises(WiringError, match=says),
        watching(site("cameras: {yard: yard.mp4}\n"), Settings(store=tmp_path / "store"), detector),
    ):
        pytest.fail("it started")
    detector.close()
    assert not (tmp_path / "store").exists()


def test_open_alerts_of_a_camera_that_was_removed_end_at_the_start(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store(folder, ["here"]) as store:
        store.record([fired(alert(1, "roof")), fired(alert(2, "roof"))], [], [])
    with watch_to_the_end(site(f"name: Plant 4\ncameras: {{yard: yard.mp4}}\n{HOOK}"), folder) as store:
        assert store.cameras_with_open_alerts() == []
        gone = store.alerts(camera="roof")
        told = [one.message for one in store.due(2**53) if one.message.camera == "roof"]
    assert {one.ending for one in gone} == {"lost_sight"}
    assert len(told) == 1  # the second waits behind it
    data = json.loads(told[0].payload)["data"]
    assert (data["alert"], data["ending"], data["site"]) == (alert(1).id, "lost_sight", "Plant 4")
    assert data["camera"] == {"id": "roof", "name": "roof"}
    assert data["zone"] == {"id": "yard", "name": "yard"}
    assert data["picture"] == {"width": 111, "height": 320}


def test_a_store_in_use_is_told(site: Site, tmp_path: Path) -> None:
    with (
        Store(tmp_path / "store", []),
        pytest.raises(WiringError, match="is already open in another process"),
        watching(site("cameras: {yard: yard.mp4}\n"), Settings(store=tmp_path / "store"), FakeDetector()),
    ):
        pytest.fail("it started")


def test_absent_cameras_and_webcams_are_no_mistakes(site: Site) -> None:
    assert bad_sources(site("cameras: {gate: rtsp://10.0.0.5/a, dock: /dev/video7, roof: http://roof/v}\n")) == []


def test_a_lent_detector_stays_open() -> None:
    detector = FakeDetector(two_workers)
    borrowed = lent(detector)
    borrowed.close()
    assert borrowed.model is detector.model
    image = np.zeros((240, 320, 3), dtype=np.uint8)
    assert len(borrowed.detect(image)) == len(borrowed.submit(image).result()) == len(detector.detect(image))
    detector.close()


def test_cameras_are_changed_while_others_are_watched(site: Site, tmp_path: Path) -> None:
    text = "cameras:\n  yard: yard.mp4\n  roof: yard.mp4\n"
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    detector = FakeDetector(two_workers)
    with (
        capture_logs() as lines,
        watching(site(text), Settings(store=tmp_path / "store"), detector, tmp_path / "site.yaml") as running,
    ):
        assert running.wait(30)
        desk, roof = running.desk, running.desk.health.reports()[1]
        assert running.site.put("yard", {"source": "yard.mp4", "name": "The yard", "fps": 2.5}).changed == ("yard",)
        assert running.site.put("lane", {"source": "yard.mp4"}).added == ("lane",)
        assert running.wait(30)
        assert running.site.remove("lane").removed == ("lane",)
        assert [one.camera for one in desk.health.reports()] == ["yard", "roof"]
        assert desk.health.reports()[1].state == roof.state, "nobody touched it"
        assert (desk.origin("yard").camera.name, desk.origin("lane").camera.name) == ("The yard", "lane")
        assert {one.alert.camera for one in desk.records.find(Wanted(), 10)} == {"yard", "roof", "lane"}
        assert desk.health.view("yard")
        assert desk.health.view("lane") is None
    assert [line["camera"] for line in lines if line["event"] == "camera.ended"] == []
    assert sum(line["event"] == "site.changed" for line in lines) == 3
    detector.close()
