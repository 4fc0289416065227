"""`ppe watch --source`: a recorded film is judged in its own time, and what it leaves behind."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import av
import numpy as np
import pytest

from service.ports import Image
from service.safety.detections import Detections
from service.store.store import Store
from tests.cli.workers import photo, run, two_workers
from tests.pictures.films import film, raw

SITE = """\
name: Plant 4
time_zone: Asia/Seoul
cameras:
  gate:
    name: North gate
    source: rtsp://10.0.0.5/live
    fps: 2.5
    zones:
      yard: {polygon: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}
      flat: {polygon: [[0, 0], [0.3, 0], [0.3, 0.1], [0, 0.1]], ignore: true}
  roof: rtsp://10.0.0.6/live
"""


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of film at ten pictures a second."""
    return film(tmp_path_factory.mktemp("films") / "yard.mp4", pictures=100, rate=10)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def watch(*arguments: str | Path, see: object = two_workers) -> str:
    result = run("watch", *arguments, see=see)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_for_every_change_and_a_summary(yard: Path) -> None:
    alert, summary, helmet, vest = watch("--source", yard).splitlines()
    assert alert.startswith("0:02.")
    assert "ALERT      vest missing since 0:00.2  person " in alert
    assert "zone whole-picture  medium  alert " in alert
    assert summary == "50 frames, 2 people followed, alerts: 1 vest missing"
    assert helmet == "helmet: worn 19, missing 0, unknown 0 person-seconds (coverage 98%)"
    assert vest.startswith("vest: worn 10, missing 10, unknown 0")


def test_every_run_gives_the_same_bytes(yard: Path) -> None:
    once = watch("--source", yard, "--json")
    assert watch("--source", yard, "--json") == once
    (event,) = events(once)
    assert event["type"] == "alert.fired"
    assert str(event["timestamp"]).startswith("1970-01-01T00:00:02.")


def test_nobody_there_is_no_line(yard: Path) -> None:
    assert watch("--source", yard, "--json", see=_nobody) == ""


@pytest.mark.parametrize(
    ("began", "first"),
    [
        ("2026-11-24T08:00:00+09:00", "2026-11-23T23:00:02"),
        ("2026-11-24T08:00:00", "2026-11-23T23:00:02"),  # in the site's time zone, wherever this runs
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:02"),
    ],
)
def test_a_film_has_the_time_that_it_is_given(
    yard: Path, site: Path, monkeypatch: pytest.MonkeyPatch, began: str, first: str
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    (event,) = events(watch(site, "--camera", "gate", "--source", yard, "--start-time", began, "--json"))
    assert str(event["timestamp"]).startswith(first)
    assert datetime.fromisoformat(str(event["timestamp"]))


def test_a_cameras_zones_rate_and_names_are_taken_from_the_site_file(yard: Path, site: Path) -> None:
    said = watch(site, "--camera", "gate", "--source", yard)
    assert "25 frames" in said
    assert "zone yard" in said
    (event,) = events(watch(site, "--camera", "gate", "--source", yard, "--json"))
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["site"], data["camera"]["name"], data["zone"]["id"]) == ("Plant 4", "North gate", "yard")
    assert "10 frames" in watch(site, "--camera", "gate", "--source", yard, "--fps", "1")


def test_the_saved_film_plays_in_browsers(yard: Path, tmp_path: Path) -> None:
    saved = tmp_path / "judged.mp4"
    watch("--source", yard, "--save", saved)
    with av.open(str(saved)) as container:
        (stream,) = container.streams.video
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.duration and stream.time_base
        assert float(stream.duration * stream.time_base) == pytest.approx(10, abs=0.05)
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    assert len(pictures) == 50
    content = saved.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # it begins to play before it is loaded
    height = pictures[0].shape[0]
    assert height > 240  # a banner under the picture
    assert np.abs(pictures[5][240:].astype(int) - pictures[-1][240:]).max() > 100  # it names the open alert


def test_a_slow_film_is_saved_at_its_own_pace(tmp_path: Path) -> None:
    slow = film(tmp_path / "slow.mp4", pictures=20, rate=2)
    watch("--source", slow, "--save", tmp_path / "judged.mp4")
    with av.open(str(tmp_path / "judged.mp4")) as container:
        assert container.duration
        assert container.duration / av.time_base == pytest.approx(10, abs=0.5)


def test_what_a_zone_ignores_is_black_in_the_saved_film_too(yard: Path, site: Path, tmp_path: Path) -> None:
    seen: list[Image] = []

    def see(image: Image) -> Detections:
        seen.append(image)
        return two_workers(image)

    watch(site, "--camera", "gate", "--source", yard, "--save", tmp_path / "judged.mp4", see=see)
    with av.open(str(tmp_path / "judged.mp4")) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert all(image[2:12, 4:80].max() == 0 for image in seen)
    assert all(picture[6:12, 30:80].max() < 30 for picture in pictures)


@pytest.mark.parametrize("zones", [False, True], ids=["no site file", "with the gate's zones"])
def test_a_recording_replays_to_the_same_bytes(yard: Path, site: Path, tmp_path: Path, zones: bool) -> None:
    recording = tmp_path / "yard.jsonl"
    judged_by = [site, "--camera", "gate"] if zones else []
    told = watch(*judged_by, "--source", yard, "--record", recording, "--json")
    assert told
    replayed = run("replay", recording, *(["--site", site] if zones else []), "--json")
    assert (replayed.exit_code, replayed.stdout) == (0, told)


def test_a_replay_tells_of_a_camera_that_cannot_judge_as_well(tmp_path: Path) -> None:
    """A minute and a half of two people whose helmets nobody can see."""
    long = film(tmp_path / "long.mp4", pictures=180, rate=2)

    def see(image: Image) -> Detections:
        seen = two_workers(image)
        return seen.where(~seen.of(0))

    told = watch("--source", long, "--record", tmp_path / "long.jsonl", "--json", see=see)
    assert "camera.cannot_judge" in [event["type"] for event in events(told)]
    assert run("replay", tmp_path / "long.jsonl", "--json").stdout == told
    lines = run("replay", tmp_path / "long.jsonl").stdout
    assert "camera can't tell about helmet" in lines


@pytest.mark.parametrize("name", ["gate.h264", "gate.265"])
def test_a_raw_stream_is_one_sentence_that_says_how_to_mend_it(tmp_path: Path, name: str) -> None:
    raw(tmp_path / name)
    result = run("watch", "--source", tmp_path / name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"ffmpeg -r 25 -i {name} gate.mp4" in result.stderr
    detected = run("detect", tmp_path)
    assert detected.exit_code == 1
    assert f"ffmpeg -r 25 -i {name} gate.mp4" in detected.stderr


@pytest.mark.parametrize("secret", ["", "whsec_malformed"])
def test_a_site_that_is_only_observed_starts_without_its_endpoints_secret(
    yard: Path, tmp_path: Path, secret: str
) -> None:
    site = tmp_path / "site.yaml"
    endpoint = "{here: {url: https://example.org/, secret_env: HOOK}}"
    site.write_text(f"mode: observe\ncameras: {{yard: {yard}}}\nendpoints: {endpoint}\n", encoding="utf-8")
    result = run("watch", site, HOOK=secret, PPE_STORE=str(tmp_path / "store"))
    assert result.exit_code == 0, result.output
    assert "endpoints.here.secret_env: " in result.stderr
    assert "once mode is alert" in result.stderr
    assert "Watching yard (observing, nothing is sent)" in result.stderr
    with Store(tmp_path / "store", ["here"]) as store:
        assert [alert.equipment for alert in store.alerts()] == ["vest"]


def test_a_folder_of_pictures_of_many_sizes_is_a_film(tmp_path: Path) -> None:
    for number in range(25):
        photo(tmp_path / "shots" / f"{number:02}.jpg", width=320 + 30 * (number % 3), height=240, value=90)
    watch("--source", tmp_path / "shots", "--save", tmp_path / "judged.mp4")
    with av.open(str(tmp_path / "judged.mp4")) as container:
        assert len({(frame.width, frame.height) for frame in container.decode(video=0)}) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a site file to watch its cameras, or --source FILE"),
        (["--source", "rtsp://10.0.0.5/live"], "--source judges recordings; a live camera belongs into a site file"),
        (["--source", "ftp://10.0.0.5/yard.mp4"], "ftp: is no kind of camera"),
        (["--source", "nowhere.mp4"], "nowhere.mp4 is neither a file nor a folder"),
        (["SITE", "--source", "YARD"], "--camera: name one of gate, roof"),
        (["SITE", "--camera", "cellar", "--source", "YARD"], "--camera: name one of gate, roof"),
        (["--source", "YARD", "--start-time", "yesterday"], "--start-time: 'yesterday' is no ISO 8601 time"),
        (["--source", "YARD", "--save", "YARD"], "would be written over"),
        (["--source", "YARD", "--save", "FOLDER/a", "--record", "FOLDER/a"], "would be written over"),
        (["--source", "YARD", "--save", "FOLDER/no/a.mp4"], "can't be written (No such file or directory)"),
        (["--source", "YARD", "--record", "FOLDER"], "can't be written (Is a directory)"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    yard: Path, site: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    before = yard.read_bytes()
    places = {"SITE": str(site), "YARD": str(yard)}
    given = [places.get(one, one.replace("FOLDER", str(tmp_path))) for one in arguments]
    result = run("watch", *given)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("ppe: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert yard.read_bytes() == before


def test_a_film_that_breaks_off_is_told_after_what_could_be_judged(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.avi", pictures=100, rate=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    result = run("watch", "--source", tmp_path / "cut.avi")
    assert result.exit_code == 2
    assert "ALERT" in result.stdout
    assert "breaks off" in result.stderr


@pytest.mark.parametrize("command", [("watch",), ("serve", "--port", "0", "--site")], ids=["watch", "serve"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cameras:\n  gate:\n    sauce: rtsp://10.0.0.5/live\n", ["line 3: cameras.gate.sauce", "nothing was started"]),
        ("cameras: {gate: ftp://10.0.0.5/live}\n", ["cameras.gate.source: ftp: is no kind of camera"]),
        ("cameras: {gate: nowhere.mp4}\n", ["cameras.gate.source: there is no file or folder nowhere.mp4"]),
        (
            "cameras: {gate: rtsp://10.0.0.5/live}\n"
            "endpoints: {here: {url: https://example.org/, secret_env: NOT_SET}}\n",
            ["set the environment variables that the site file names: NOT_SET"],
        ),
        (
            "cameras: {gate: rtsp://10.0.0.5/live}\nendpoints: {here: {url: https://example.org/, secret_env: PATH}}\n",
            ["endpoints.here.secret_env: what PATH holds is no secret"],
        ),
        (
            "cameras: {gate: 'rtsp://[64:ff9b::a9fe:a9fe]/live'}\n",
            ["cameras.gate.source: The host's address is one that no camera has"],
        ),
    ],
    ids=["mistakes", "no camera", "no file", "no secret", "bad secret", "no address"],
)
def test_what_is_wrong_with_a_site_starts_nothing(
    tmp_path: Path, command: tuple[str, ...], text: str, words: list[str]
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(text, encoding="utf-8")
    result = run(*command, site, PPE_STORE=str(tmp_path / "store"))
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words), result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "store").exists()


def _nobody(image: Image) -> Detections:
    seen = two_workers(image)
    return seen.where(np.zeros(len(seen), dtype=bool))


def test_a_detector_that_fails_is_told_in_a_sentence(yard: Path) -> None:
    def fails(image: Image) -> Detections:
        raise RuntimeError("no such device")

    result = run("watch", "--source", yard, see=fails)
    assert result.exit_code == 2
    assert "the detector fake fails at 0.0 s (RuntimeError: no such device)" in result.stderr
    assert "Traceback" not in result.output
