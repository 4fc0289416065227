from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.admission import admission
from service.cli.terminal import shown
from service.detectors.fake import FakeDetector
from service.ports import Image
from service.safety.detections import Detections, empty
from service.settings import Settings
from service.wiring import open_app
from tests.cli.workers import photo, real_weights, run, two_workers
from tests.conftest import ROOT
from tests.pictures.films import film


def test_a_table_for_people(tmp_path: Path) -> None:
    result = run("detect", photo(tmp_path / "site.jpg"))
    assert result.exit_code == 0
    assert re.search(r"#0 +168 \(168\) +worn 0\.70 +worn 0\.70 +yes", result.stdout)
    assert re.search(r"#1 +168 \(168\) +worn 0\.70 +missing 0\.70 +NO", result.stdout)
    assert "1 picture, 2 people: 1 compliant, 1 not compliant, 0 unknown" in result.stdout
    assert "Judged by fake 1." in result.stdout
    assert result.stderr == ""


def test_the_table_says_where_nobody_is(tmp_path: Path) -> None:
    result = run("detect", photo(tmp_path / "wall.jpg"), see=lambda image: empty(image.shape[1], image.shape[0]))
    assert result.exit_code == 0
    assert "nobody seen" in result.stdout


def test_the_table_marks_people_whom_only_their_equipment_gives_away(tmp_path: Path) -> None:
    def see(image: Image) -> Detections:
        seen = two_workers(image)
        return seen.where(seen.class_id != 4)

    result = run("detect", photo(tmp_path / "site.jpg"), see=see)
    assert "#0*" in result.stdout
    assert "only their equipment was seen" in result.stdout


def test_json_holds_what_http_answers(tmp_path: Path) -> None:
    picture = photo(tmp_path / "site.jpg")
    result = run("detect", "--json", picture, tmp_path / "none.jpg", see=two_workers)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    settings = Settings(store=tmp_path / "store", allowed_hosts="testserver")
    with (
        admission(settings) as access,
        TestClient(open_app(settings, FakeDetector(two_workers), access)) as client,
    ):
        answer = client.post("/v1/detect", files={"image": ("site.jpg", picture.read_bytes())}).json()
    from_cli, from_http = document["images"][0], answer["images"][0]
    assert json.dumps(from_cli["people"]) == json.dumps(from_http["people"])
    assert {**from_cli, "filename": "site.jpg"} == from_http
    assert list(from_cli) == list(from_http)
    assert (document["model"], document["thresholds"]) == (answer["model"], answer["thresholds"])
    assert document["images"][1] == {
        "index": 1,
        "filename": str(tmp_path / "none.jpg"),
        "error": {"code": "FILE_UNREADABLE", "detail": "this file can't be read (No such file or directory)"},
    }


def test_json_lines_are_entries_of_the_document(tmp_path: Path) -> None:
    pictures = [photo(tmp_path / f"{number}.png") for number in range(4)]
    result = run("detect", "--json-lines", *pictures)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    document = json.loads(run("detect", "--json", *pictures).stdout)
    assert [json.loads(line) for line in lines] == document["images"]


def test_require_decides_who_is_compliant(tmp_path: Path) -> None:
    result = run("detect", "--json", "--require", "helmet", photo(tmp_path / "site.jpg"))
    (image,) = json.loads(result.stdout)["images"]
    assert [person["compliant"] for person in image["people"]] == [True, True]


def test_confidence_moves_boxes_and_no_state(tmp_path: Path) -> None:
    picture = photo(tmp_path / "site.jpg")
    few, many = (
        json.loads(run("detect", "--json", "--confidence", floor, picture).stdout)["images"][0]
        for floor in ("0.75", "0.0")
    )
    assert (len(few["detections"]), len(many["detections"])) == (2, 6)
    assert few["people"] == many["people"]


def test_a_folder_with_all_kinds_of_files(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "b.webp")
    photo(tmp_path / "in" / "deep" / "c.bmp")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 rubbish")
    film(tmp_path / "in" / "film.mp4", pictures=30, rate=10)
    flat = run("detect", "--json", tmp_path / "in")
    names = [Path(image["filename"]).name for image in json.loads(flat.stdout)["images"]]
    assert names == ["a.png", "b.webp", "broken.jpg", "film.mp4", "film.mp4", "film.mp4"]
    assert flat.exit_code == 1
    assert flat.stderr.startswith(f"{tmp_path / 'in' / 'broken.jpg'}: ")
    assert flat.stderr.count("\n") == 1, "one line a fault"
    deep = run("detect", "--json", "--recursive", tmp_path / "in")
    assert len(json.loads(deep.stdout)["images"]) == 7


def test_moments_of_a_video_tell_their_time(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", pictures=30, rate=10)
    result = run("detect", "--json", "--every", "0.5", path)
    assert result.exit_code == 0
    times = [image["at_s"] for image in json.loads(result.stdout)["images"]]
    assert times == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5], abs=0.01)
    told = "".join(run("detect", path).stdout.split())  # lines are broken where they are full
    assert f"{path}0:02.0" in told


def test_annotated_pictures_and_videos_are_saved(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.png", 640, 480)
    photo(tmp_path / "in" / "a.jpg", 640, 480)
    photo(tmp_path / "in" / "deep" / "a.jpg", 321, 243)
    film(tmp_path / "in" / "film.mp4", pictures=30, rate=10, width=322, height=182)
    result = run("detect", "--save", tmp_path / "out", "--recursive", tmp_path / "in")
    assert result.exit_code == 0, result.output
    assert "Saved" in result.stderr
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["a-2.jpg", "a.jpg", "deep/a.jpg", "film.mp4"]
    drawn = cv2.imread(str(tmp_path / "out" / "a.jpg"))
    assert drawn is not None
    assert drawn.shape == (480, 640, 3)
    assert (np.abs(drawn.astype(int) - 128) > 40).any()
    capture = cv2.VideoCapture(str(tmp_path / "out" / "film.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(1), "it plays at the speed of the original"
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (322, 182)


def test_no_picture_is_replaced_by_its_result(tmp_path: Path) -> None:
    before = photo(tmp_path / "a.jpg").read_bytes()
    for path in (tmp_path, tmp_path / "a.jpg"):
        result = run("detect", "--save", tmp_path, path)
        assert result.exit_code == 2
        assert "name another folder" in result.stderr
    assert (tmp_path / "a.jpg").read_bytes() == before


def test_results_in_a_folder_below_are_not_judged_again(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    for _ in range(2):
        result = run("detect", "--json", "--recursive", "--save", tmp_path / "out", tmp_path)
        assert len(json.loads(result.stdout)["images"]) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("detect", "--save", tmp_path / "file" / "out", photo(tmp_path / "a.jpg"))
    assert result.exit_code == 2
    assert "can't be written" in result.stderr


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.touch(), "empty"),
        (lambda path: path.write_text("hello"), "Not a picture"),
        (lambda path: path.mkdir(), "no picture or video lies in this folder"),
    ],
)
def test_what_can_not_be_judged_is_named_and_the_rest_goes_on(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "bad.jpg")  # type: ignore[operator]
    result = run("detect", tmp_path / "bad.jpg", photo(tmp_path / "good.jpg"))
    assert result.exit_code == 1
    assert "bad.jpg" in result.stderr
    assert words in result.stderr
    assert "2 people" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--require", "boots", "a.jpg"),
        ("--require", "", "a.jpg"),
        ("--confidence", "2", "a.jpg"),
        ("--every", "-1", "a.jpg"),
        ("--json", "--json-lines", "a.jpg"),
    ],
)
def test_misuse_ends_with_2(arguments: tuple[str, ...]) -> None:
    result = run("detect", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_detector_that_fails_ends_the_run_with_one_sentence(tmp_path: Path) -> None:
    def see(image: Image) -> Detections:
        raise RuntimeError("long story\nthe device is gone")

    result = run("detect", photo(tmp_path / "a.jpg"), see=see)
    assert result.exit_code == 2
    assert result.stderr == f"ppe: the detector failed on {tmp_path / 'a.jpg'}: the device is gone\n"


def test_names_can_not_play_with_the_terminal() -> None:
    assert shown("a\x1b[2Jb\n\udcff.jpg") == "a\\x1b[2Jb\\n\\udcff.jpg"


@pytest.mark.thorough
def test_piped_json_stays_clean_under_a_progress_bar(tmp_path: Path) -> None:
    real_weights()
    photo(tmp_path / "a.jpg")
    photo(tmp_path / "b.jpg")
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "service.cli", "detect", "--json-lines", str(tmp_path)]
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    shown: list[bytes] = []

    def watch_screen() -> None:  # while the command runs: a terminal that nobody reads holds it up
        with contextlib.suppress(OSError):  # the command's side is closed
            while part := os.read(screen, 65536):
                shown.append(part)

    watching = threading.Thread(target=watch_screen, daemon=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, cwd=tmp_path) as process:
        os.close(terminal)
        watching.start()
        printed, _ = process.communicate(timeout=100)
    watching.join(10)
    os.close(screen)
    assert process.returncode == 0
    assert [json.loads(line)["index"] for line in printed.splitlines()] == [0, 1]
    assert b"100%" in b"".join(shown), "the bar was shown"
