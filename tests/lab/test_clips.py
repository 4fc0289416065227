"""Clip truth: rows are read and checked, boxes move between outlines, and the clips are the ones that were watched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from service.lab.clips import Clip, ClipWorker, Judged, box_at, read_clips, state_at
from service.lab.dataset.faults import DatasetError

COMMITTED = Path(__file__).parents[2] / "datasets" / "truth" / "clips.jsonl"

WORKER: dict[str, Any] = {
    "id": "left-man",
    "visible": [[0.0, 2.0], [5.0, 6.0]],
    "boxes": [[0.0, 0, 10, 20, 50], [2.0, 40, 10, 60, 90], [5.0, 10, 10, 20, 20], [6.0, 10, 10, 20, 20]],
    "helmet": [[0.5, 2.0, "worn"]],
    "vest": [[0.0, 1.0, "missing"], [5.0, 6.0, "worn"]],
    "note": "",
}
CLIP: dict[str, Any] = {
    "clip": "a.mp4",
    "sha256": "0" * 64,
    "width": 100,
    "height": 100,
    "fps": 25,
    "seconds": 6.0,
    "note": "",
    "workers": [WORKER],
}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "clips.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def worker(tmp_path: Path) -> ClipWorker:
    (clip,) = read_clips(written(tmp_path, CLIP))
    return clip.workers[0]


@pytest.fixture(scope="module")
def committed() -> dict[str, Clip]:
    return {clip.clip: clip for clip in read_clips(COMMITTED)}


def test_a_row_is_read(tmp_path: Path) -> None:
    first, second = read_clips(written(tmp_path, CLIP, {**CLIP, "clip": "b.mp4", "workers": []}))
    assert (first.clip, first.width, first.fps, first.seconds) == ("a.mp4", 100, 25.0, 6.0)
    assert first.workers[0].vest == (Judged(0.0, 1.0, "missing"), Judged(5.0, 6.0, "worn"))
    assert (second.clip, second.workers) == ("b.mp4", ())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"helmet": [[0.5, 2.0, "perhaps"]]}, "worn"),
        ({"helmet": [[0.5, 3.0, "worn"]]}, "helmet from 0.5 s reaches out of the stays"),
        ({"vest": [[0.0, 1.0, "missing"], [0.5, 2.0, "worn"]]}, "vest: times are empty, overlapping or out of order"),
        ({"visible": [[0.0, 2.0]], "vest": []}, "box at 5 s is outside the stays"),
        ({"visible": [[0.0, 1.5], [5.0, 6.0]], "helmet": []}, "does not begin and end with a box"),
        ({"visible": []}, "visible"),
        ({"boxes": WORKER["boxes"][::-1]}, "not in order of time"),
        ({"boxes": [[0.0, 20, 10, 20, 50], *WORKER["boxes"][1:]]}, "box at 0 s is empty"),
        ({"boxes": [[0.0, 0, 10, 101, 50], *WORKER["boxes"][1:]]}, "box at 0 s is outside the clip"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_worker_names_file_and_line(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    path = written(tmp_path, CLIP, {**CLIP, "workers": [{**WORKER, **change}]})
    with pytest.raises(DatasetError, match=r"clips\.jsonl:2: not a row of clip truth") as caught:
        read_clips(path)
    assert caught.value.line == 2
    assert why in str(caught.value)


def test_two_workers_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="two workers carry one id"):
        read_clips(written(tmp_path, {**CLIP, "workers": [WORKER, WORKER]}))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"missing\.jsonl: can't read"):
        read_clips(tmp_path / "missing.jsonl")
    (tmp_path / "half.jsonl").write_text('{"clip": ', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"half\.jsonl:1: not a row of clip truth"):
        read_clips(tmp_path / "half.jsonl")


@pytest.mark.parametrize(
    ("t", "box"),
    [
        (0.0, (0, 10, 20, 50)),
        (0.5, (10, 10, 30, 60)),
        (2.0, (40, 10, 60, 90)),
        (2.1, None),
        (4.9, None),
        (5.0, (10, 10, 20, 20)),
        (6.0, (10, 10, 20, 20)),
        (6.1, None),
        (-0.1, None),
    ],
)
def test_boxes_move_between_outlines(worker: ClipWorker, t: float, box: tuple[float, ...] | None) -> None:
    assert box_at(worker, t) == box


def test_states_are_judged_only_in_their_times(worker: ClipWorker) -> None:
    assert [state_at(worker, "helmet", t) for t in (0.0, 0.5, 3.0, 5.5)] == [
        "not_judgeable",
        "worn",
        None,
        "not_judgeable",
    ]
    assert [state_at(worker, "vest", t) for t in (1.0, 1.1, 5.0)] == ["missing", "not_judgeable", "worn"]


def test_the_committed_truth_says_what_the_clips_show(committed: dict[str, Clip]) -> None:
    def states(name: str, equipment: str) -> list[set[str]]:
        return [{span.state for span in getattr(worker, equipment)} for worker in committed[name].workers]

    assert states("pratim_ppe-1.mp4", "helmet") == [{"worn"}, {"worn"}]
    assert states("pratim_ppe-1.mp4", "vest") == [{"missing"}, {"missing"}]
    assert states("pratim_ppe-2.mp4", "helmet") == states("pratim_ppe-2.mp4", "vest") == [{"worn"}, {"worn"}]
    assert set().union(*states("felix_ppe.mp4", "helmet"), *states("felix_ppe.mp4", "vest")) == {"worn"}


def test_the_clips_are_the_ones_that_were_watched(committed: dict[str, Clip], datasets: Path) -> None:
    assert len(committed) == 3
    for clip in committed.values():
        path = datasets / "clips" / clip.clip
        assert hashlib.sha256(path.read_bytes()).hexdigest() == clip.sha256
        video = cv2.VideoCapture(str(path))
        width, height, fps, frames = (video.get(which) for which in (3, 4, 5, 7))
        assert (width, height, fps) == (clip.width, clip.height, clip.fps)
        assert clip.seconds == pytest.approx(frames / fps)
