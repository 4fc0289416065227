"""A site that is changed while it is watched: `wiring.upkeep` over a real file and cameras that only take notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.sitefile import SiteFile, read_site
from service.upkeep import ChangeRefused
from service.wiring.upkeep import LiveSite

TEXT = """\
# by hand
name: Plant 4
cameras:
  gate: {source: rtsp://10.0.0.5/live, zones: {yard: {polygon: [[0, 0], [1, 0], [1, 1]]}}}
  dock: rtsp://10.0.0.6/live
"""


@dataclass
class Notes:
    """`upkeep.Cameras` that writes down what it is told."""

    said: list[str] = field(default_factory=list)

    def watch(self, site: SiteFile, camera: str) -> None:
        self.said.append(f"watch {camera} at {site.cameras[camera].fps:g}")

    def drop(self, site: SiteFile, camera: str) -> None:
        assert camera not in site.cameras
        self.said.append(f"drop {camera}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o640)
    return path


def live(file: Path) -> tuple[LiveSite, Notes]:
    notes = Notes()
    return LiveSite(read_site(file), file, notes), notes


def test_only_the_camera_that_changes_is_watched_anew(file: Path) -> None:
    site, notes = live(file)
    before = site.version
    with capture_logs():
        made = site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 2})
    assert notes.said == ["watch gate at 2"]
    assert (made.added, made.changed, made.removed, made.later) == ((), ("gate",), (), ())
    assert made.version == site.version != before
    assert read_site(file) == site.site
    assert site.site.cameras["gate"].fps == 2
    assert file.read_text(encoding="utf-8").startswith("# by hand\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["site.yaml"]


def test_saying_the_same_again_disturbs_nobody(file: Path) -> None:
    site, notes = live(file)
    entry = site.entry("gate")
    assert entry
    with capture_logs():
        made = site.put("gate", entry)
    assert (notes.said, made.changed, file.read_text(encoding="utf-8")) == ([], (), TEXT)


def test_a_camera_comes_and_goes(file: Path) -> None:
    site, notes = live(file)
    with capture_logs():
        assert site.put("roof", {"source": "rtsp://10.0.0.7/live"}).added == ("roof",)
        assert site.remove("dock").removed == ("dock",)
    assert notes.said == ["watch roof at 5", "drop dock"]
    assert list(read_site(file).cameras) == ["gate", "roof"]
    assert site.entry("dock") is None


BAD = [
    ("gate", {"source": "rtsp://10.0.0.5/live", "fps": 50}, "cameras.gate.fps: Input should be less than or equal to"),
    ("gate", {"source": "rtsp://kim:canary@10.0.0.5/live"}, "credentials don't belong into the source"),
    ("gate", {"source": "rtsp://169.254.169.254/latest"}, "cameras.gate.source"),
    ("gate", {"source": "nowhere.mp4"}, "there is no file or folder nowhere.mp4"),
    ("gate", {"source": "rtsp://10.0.0.5/live", "zones": {"a": {"polygon": [[0, 0], [1, 1]]}}}, "cameras.gate.zones.a"),
    ("gate", {"source": "rtsp://10.0.0.5/live", "password_env": "NOT_SET_HERE"}, "set the environment variable NOT_SE"),
    ("Gate 1", {"source": "rtsp://10.0.0.5/live"}, "an id has a-z"),
    ("gate", {}, "cameras.gate.source: is missing"),
]


@pytest.mark.parametrize(("camera", "entry", "words"), BAD, ids=[row[2][:24] for row in BAD])
def test_a_bad_change_leaves_the_last_good_site(
    file: Path, camera: str, entry: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    site, notes = live(file)
    before = site.version
    with pytest.raises(ChangeRefused) as refused:
        site.put(camera, entry)
    assert (refused.value.why, words in str(refused.value), "canary" in str(refused.value)) == ("invalid", True, False)
    assert (notes.said, site.version, file.read_text(encoding="utf-8")) == ([], before, TEXT)


def test_the_last_camera_can_not_be_taken_away(file: Path) -> None:
    site, _ = live(file)
    with capture_logs():
        site.remove("dock")
    with pytest.raises(ChangeRefused, match="at least 1"):
        site.remove("gate")
    assert list(read_site(file).cameras) == ["gate"]


def test_a_file_that_was_changed_by_hand_is_not_written_over(file: Path) -> None:
    site, _ = live(file)
    file.write_text(TEXT.replace("Plant 4", "Plant 5"), encoding="utf-8")
    with pytest.raises(ChangeRefused) as refused:
        site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 2})
    assert refused.value.why == "changed"
    with capture_logs():
        assert site.reload().changed == ("gate", "dock")  # its name stands in all events
        assert site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 2}, site.version).changed == ("gate",)
    with pytest.raises(ChangeRefused) as refused:
        site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 3}, "0" * 16)
    assert refused.value.why == "changed"


def test_a_reload_reads_what_concerns_cameras_and_tells_what_waits(file: Path) -> None:
    site, notes = live(file)
    file.write_text(TEXT.replace("6/live", "6/sub") + "mode: observe\n", encoding="utf-8")
    with capture_logs() as lines:
        made = site.reload()
    assert (made.changed, made.later, notes.said) == (("dock",), ("mode",), ["watch dock at 5"])
    assert lines[0]["at_next_start"] == ("mode",)


WAITING = [
    ("", ()),
    ("endpoints: {office: {url: 'https://example.org/', secret_env: CHAT}}\n", ("time_zone",)),
    ("mqtt: {url: 'mqtt://broker.example.org'}\n", ("time_zone",)),
    ("people: {chat: {url_env: CHAT}}\n", ("name", "time_zone")),
    ("mode: observe\npeople: {chat: {url_env: CHAT}}\n", ()),
]


@pytest.mark.parametrize(("told", "later"), WAITING, ids=["nobody", "webhooks", "mqtt", "people", "observe"])
def test_a_name_and_a_time_zone_wait_as_far_as_receivers_have_them(
    file: Path, told: str, later: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "json://127.0.0.1")
    file.write_text(TEXT + told, encoding="utf-8")
    site, _ = live(file)
    file.write_text((TEXT + told).replace("Plant 4", "Plant 5\ntime_zone: Asia/Seoul"), encoding="utf-8")
    with capture_logs():
        made = site.reload()
    assert (made.changed, made.later) == (("gate", "dock"), later)


def test_a_camera_whose_id_is_a_number_is_changed_and_taken_away(file: Path) -> None:
    text = "cameras:\n  1: rtsp://10.0.0.1/a\n  2: {source: rtsp://10.0.0.2/a, fps: 2}   # south\n"
    file.write_text(text, encoding="utf-8")
    site, notes = live(file)
    with capture_logs():
        assert site.put("2", {"source": "rtsp://10.0.0.2/b", "fps": 2}).changed == ("2",)
        assert site.remove("1").removed == ("1",)
    assert notes.said == ["watch 2 at 2", "drop 1"]
    assert file.read_text(encoding="utf-8") == "cameras:\n  2: {source: rtsp://10.0.0.2/b, fps: 2}   # south\n"


def test_an_entry_that_can_not_be_found_in_the_file_is_refused(file: Path) -> None:
    text = "cameras:\n  007: rtsp://10.0.0.1/a\n  gate: rtsp://10.0.0.2/a\n"
    file.write_text(text, encoding="utf-8")
    site, notes = live(file)
    with pytest.raises(ChangeRefused, match="camera '007' can't be edited: write its id in quotes"):
        site.remove("007")
    assert (notes.said, file.read_text(encoding="utf-8"), site.entry("007") is None) == ([], text, False)


@pytest.mark.parametrize("text", ["", "cameras: {}\n", "cameras: [\n", "cameras: {gate: ftp://10.0.0.5/}\n"])
def test_a_reload_of_a_bad_file_changes_nothing(file: Path, text: str) -> None:
    site, notes = live(file)
    before = site.version
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ChangeRefused):
        site.reload()
    assert (notes.said, site.version, list(site.site.cameras)) == ([], before, ["gate", "dock"])


def test_a_file_that_can_not_be_written_changes_nothing(file: Path) -> None:
    site, notes = live(file)
    beside = file.with_name(".site.yaml.new")
    beside.mkdir()  # works for root too, whom no permission stops
    with pytest.raises(ChangeRefused, match="can't be written") as refused:
        site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 2})
    assert (refused.value.why, notes.said, file.read_text(encoding="utf-8")) == ("unwritable", [], TEXT)


def test_without_a_file_nothing_can_be_changed(file: Path) -> None:
    site = LiveSite(read_site(file), None, Notes())
    for change in (lambda: site.put("gate", {"source": "rtsp://10.0.0.5/live"}), site.reload):
        with pytest.raises(ChangeRefused) as refused:
            change()
        assert refused.value.why == "unwritable"


def test_a_link_stays_a_link(file: Path) -> None:
    link = file.with_name("linked.yaml")
    link.symlink_to(file)
    site = LiveSite(read_site(link), link, Notes())
    with capture_logs():
        site.put("gate", {"source": "rtsp://10.0.0.5/live", "fps": 2})
    assert link.is_symlink()
    assert read_site(file).cameras["gate"].fps == 2
