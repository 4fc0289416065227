"""Recordings: what is written comes back exactly, damage is named by its line, and a replay says the same twice."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.recording import FORMAT, Heading, RecordingError, read_recording, write_frame, write_heading
from service.safety.detections import Detections, empty
from service.safety.moment import Moment
from service.safety.monitor import Monitor, Observation
from service.safety.site import Scene
from service.safety.thresholds import Thresholds
from tests.safety.films import NearestTracker, frames, moment, worker
from tests.safety.scenes import Row

HEADING = Heading("gate", "ppe-made 1", Thresholds(minimum_height={"helmet": 40, "vest": 60.5}))
FRAME: dict[str, Any] = {
    "seconds": 1.0,
    "wall_ms": 1000,
    "size": [640, 480],
    "scale": 1.0,
    "boxes": [[10.0, 10.0, 20.0, 20.0]],
    "confidence": [0.5],
    "class": [4],
}


def written(path: Path, film: Sequence[tuple[Detections, Moment]], heading: Heading = HEADING) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        write_heading(stream, heading)
        for seen, at in film:
            write_frame(stream, seen, at)
    return path


def with_frames(path: Path, *rows: object) -> Path:
    """Write a heading and then rows as they are given (text) or as JSON."""
    stream = io.StringIO()
    write_heading(stream, HEADING)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text(stream.getvalue() + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# Without denormals: some libraries make the whole process flush them to zero.
scales = st.floats(2.0**-20, 2.0**20, width=32)
floats = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    """Draw any detections that can be: everything in float32, -0.0 too."""
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        xs = sorted(draw(st.lists(floats, min_size=2, max_size=2, unique=True)))
        ys = sorted(draw(st.lists(floats, min_size=2, max_size=2, unique=True)))
        rows.append((xs[0], ys[0], xs[1], ys[1]))
    return Detections(
        np.array(rows, dtype=np.float32).reshape(-1, 4),
        np.array([draw(st.floats(0, 1, width=32, allow_subnormal=False)) for _ in rows], dtype=np.float32),
        np.array([draw(st.integers(0, 4)) for _ in rows], dtype=np.int64),
        draw(st.integers(1, 100_000)),
        draw(st.integers(1, 100_000)),
        draw(st.floats(1e-6, 1e6)),
        np.array(draw(st.just([]) | st.lists(scales, min_size=len(rows), max_size=len(rows))), dtype=np.float32),
    )


films = st.lists(detections(), max_size=4).flatmap(
    lambda seen: st.lists(
        st.floats(0, 1e9), min_size=len(seen), max_size=len(seen), unique=True
    ).map(lambda seconds: list(zip(seen, sorted(seconds), strict=True)))
)  # fmt: skip


@settings(max_examples=60)
@given(films, st.integers(-(2**53), 2**53), st.text(max_size=20))
@example([(empty(640, 480), 0.1)], 0, "\u2028\x85\n\"'\\")
def test_everything_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, film: list[tuple[Detections, float]], start: int, camera: str
) -> None:
    path = tmp_path_factory.mktemp("recording") / "a.jsonl"
    timed = [(seen, Moment(seconds, start + index)) for index, (seen, seconds) in enumerate(film)]
    written(path, timed, Heading(camera, "made 1", HEADING.thresholds))
    heading, back = read_recording(path)
    assert heading == Heading(camera, "made 1", HEADING.thresholds)
    again = list(back)
    assert [at for _, at in again] == [at for _, at in timed]
    for (one, _), (other, _) in zip(timed, again, strict=True):
        assert one.boxes.tobytes() == other.boxes.tobytes()
        assert one.confidence.tobytes() == other.confidence.tobytes()
        assert one.seen_scale.tobytes() == other.seen_scale.tobytes()
        assert one.class_id.tobytes() == other.class_id.tobytes()
        assert (one.width, one.height, one.scale) == (other.width, other.height, other.scale)
    assert written(path.with_name("b.jsonl"), again, heading).read_bytes() == path.read_bytes()


def test_one_line_a_frame(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", list(frames(lambda _: worker(), 1)))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 5
    assert json.loads(lines[0])["format"] == FORMAT
    assert json.loads(lines[1])["size"] == [1000, 800]


def test_a_recording_of_nothing_is_one(tmp_path: Path) -> None:
    heading, found = read_recording(written(tmp_path / "a.jsonl", []))
    assert heading == HEADING
    assert list(found) == []


@pytest.mark.parametrize(
    "row",
    [
        "",
        "{",
        '{"seconds": 1.0, "wall_ms": 10',
        "5",
        "[]",
        "null",
        "[" * 100_000,
        {**FRAME, "seconds": "1"},
        {**FRAME, "seconds": None},
        {**FRAME, "seconds": float("nan")},
        {**FRAME, "seconds": float("inf")},
        {**FRAME, "seconds": 0.0},
        {**FRAME, "wall_ms": 0.5},
        {**FRAME, "wall_ms": "1000"},
        {**FRAME, "size": [640]},
        {**FRAME, "size": [0, 480]},
        {**FRAME, "size": ["640", 480]},
        {**FRAME, "scale": 0},
        {**FRAME, "scale": float("nan")},
        {**FRAME, "scale": "1"},
        {**FRAME, "boxes": [[10, 10, 20]]},
        {**FRAME, "boxes": [[20, 10, 10, 20]]},
        {**FRAME, "boxes": [[10, 10, float("nan"), 20]]},
        {**FRAME, "boxes": []},
        {**FRAME, "boxes": "none"},
        {**FRAME, "confidence": [1.5]},
        {**FRAME, "confidence": ["x"]},
        {**FRAME, "class": [5]},
        {**FRAME, "class": [1.5]},
        {**FRAME, "class": [2**70]},
        {**FRAME, "class": 4},
        {name: value for name, value in FRAME.items() if name != "class"},
    ],
)
def test_a_damaged_frame_names_its_line(tmp_path: Path, row: object) -> None:
    path = with_frames(tmp_path / "a.jsonl", {**FRAME, "seconds": 0.5}, row, {**FRAME, "seconds": 9.0})
    _, found = read_recording(path)
    assert next(found)[1].seconds == 0.5
    with pytest.raises(RecordingError, match=r"a\.jsonl:3: damaged frame: ."):
        next(found)


def test_what_stands_before_the_damage_is_read(tmp_path: Path) -> None:
    """A recorder that was killed leaves half a line: everything before it can be played."""
    path = written(tmp_path / "a.jsonl", list(frames(lambda _: worker(), 2)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 40])
    _, found = read_recording(path)
    seen = [next(found) for _ in range(9)]
    assert seen[-1][1] == moment(1.6)
    with pytest.raises(RecordingError, match=r"a\.jsonl:11: damaged frame"):
        next(found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "1: not a recording of detections"),
        ("\n", "1: not a recording of detections"),
        ("{}\n", "1: not a recording of detections"),
        ("[1]\n", "1: not a recording of detections"),
        ("5\n", "1: not a recording of detections"),
        ("cameras:\n  gate: a.mp4\n", "1: not a recording of detections"),
        ('{"format":"ppe-recording/9"}\n', "1: format 'ppe-recording/9', expected ppe-recording/1"),
        ('{"format":"ppe-recording/1"}\n', "1: not a recording of detections"),
        (
            '{"format":"ppe-recording/1","camera":"a","model":"b","thresholds":{"confidence":5}}\n',
            "1: not a recording of detections",
        ),
        ("[" * 100_000, "1: not a recording of detections"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError) as caught:
        read_recording(tmp_path / "a.jsonl")
    assert f"a.jsonl:{what}" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.jsonl: can't read this recording"):
        read_recording(tmp_path / "nowhere.jsonl")
    (tmp_path / "a.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42\xff\xfe")
    with pytest.raises(RecordingError, match=r"a\.mp4: can't read this recording"):
        read_recording(tmp_path / "a.mp4")


def played(path: Path) -> list[Observation]:
    heading, found = read_recording(path)
    monitor = Monitor(Scene(camera=heading.camera), heading.thresholds, NearestTracker())
    return [monitor.observe(seen, at) for seen, at in found]


def test_a_replay_says_the_same_twice_and_what_was_said_live(tmp_path: Path) -> None:
    def look(seconds: float) -> list[Row]:
        bare = worker(x=300 + 7.3 * seconds, helmet="no-helmet" if 2 <= seconds < 9 else "helmet")
        return bare + (worker(x=700, vest="no-vest") if seconds < 6 else [])

    film = list(frames(look, 30))
    live = Monitor(Scene(camera="gate"), HEADING.thresholds, NearestTracker())
    said = [live.observe(seen, at) for seen, at in film]
    path = written(tmp_path / "a.jsonl", film)
    assert played(path) == played(path) == said
    kinds = [(change.kind, change.alert.equipment) for one in said for change in one.alerts]
    assert kinds.count(("fired", "helmet")) == kinds.count(("fired", "vest")) == 1
