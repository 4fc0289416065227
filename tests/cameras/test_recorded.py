from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.cameras.address import SourceError
from service.cameras.opening import open_source
from service.ports import CameraState, Frame, FrameSource
from tests.cameras.clocks import HeldClock


def film(path: Path, frames: int = 60, rate: float = 30, size: tuple[int, int] = (64, 48)) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    for k in range(frames):
        writer.write(np.full((size[1], size[0], 3), 4 * k % 256, np.uint8))
    writer.release()
    return path


def pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for k in range(count):
        cv2.imwrite(str(folder / f"shot-{k:02}.png"), np.full((12, 16, 3), 10 * k, np.uint8))
    return folder


def opened(path: Path, fps: float = 5, start_ms: int | None = None) -> FrameSource:
    return open_source(str(path), fps=fps, clock=HeldClock(), start_ms=start_ms)


def story(source: FrameSource) -> list[Frame | CameraState]:
    events = []
    while (event := source.read(0.0)) is not None:
        events.append(event)
    source.close()
    return events


def frames(events: list[Frame | CameraState]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


def test_of_a_film_of_30_fps_every_sixth_frame_at_5(tmp_path: Path) -> None:
    events = story(opened(film(tmp_path / "gate.mp4"), start_ms=1_700_000_000_000))
    assert [frame.number for frame in frames(events)] == list(range(1, 61, 6))
    assert [frame.at.seconds for frame in frames(events)] == pytest.approx([k / 5 for k in range(10)], abs=1e-3)
    assert [frame.at.wall_ms - 1_700_000_000_000 for frame in frames(events)] == [200 * k for k in range(10)]
    assert [event.status for event in events if isinstance(event, CameraState)] == ["live", "ended"]
    assert abs(int(frames(events)[5].image.mean()) - 4 * 30) < 8


def test_more_than_the_film_has_is_every_frame(tmp_path: Path) -> None:
    assert len(frames(story(opened(film(tmp_path / "gate.mp4", rate=10), fps=30)))) == 60


def test_two_runs_give_the_same(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", rate=25)
    first, second = (frames(story(opened(path))) for _ in range(2))
    assert [(frame.at, frame.number) for frame in first] == [(frame.at, frame.number) for frame in second]
    assert all((a.image == b.image).all() for a, b in zip(first, second, strict=True))
    assert first[0].at.wall_ms == 0


def test_a_film_that_breaks_off_says_so(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.avi", frames=300)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    states = [event for event in story(opened(cut)) if isinstance(event, CameraState)]
    assert [(event.status, event.code) for event in states] == [
        ("live", None),
        ("offline", "SOURCE_INVALID"),
        ("ended", None),
    ]
    assert "breaks off" in states[1].detail


def test_a_folder_gives_its_pictures_by_name_one_each_period(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "shot-01b.jpg").write_bytes(b"damaged")
    events = story(opened(folder, fps=2, start_ms=5000))
    assert [(frame.number, frame.at.seconds, frame.at.wall_ms) for frame in frames(events)] == [
        (1, 0.0, 5000),
        (2, 0.5, 5500),
        (4, 1.5, 6500),
    ]
    assert isinstance(events[-1], CameraState)
    assert "shot-01b.jpg" in events[-1].detail


def test_a_folder_of_rubbish_is_invalid(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"rubbish")
    assert [(event.status, event.code) for event in story(opened(tmp_path)) if isinstance(event, CameraState)] == [
        ("live", None),
        ("offline", "SOURCE_INVALID"),
        ("ended", None),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.mp4", b"", "SOURCE_INVALID"),
        ("text.mp4", b"this is no film at all, only text" * 100, "SOURCE_INVALID"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "SOURCE_REFUSED"),
        ("list.mp4", b"ffconcat version 1.0\nfile a.mp4\n", "SOURCE_REFUSED"),
        ("img%03d.jpg", b"\xff\xd8\xff", "SOURCE_INVALID"),
    ],
)
def test_what_is_no_film_is_told_at_once(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError) as fault:
        opened(path)
    assert fault.value.code == code
    assert str(path) in str(fault.value)


def test_what_is_not_there_and_an_empty_folder_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        opened(tmp_path / "absent.mp4")
    with pytest.raises(SourceError, match="holds no pictures"):
        opened(tmp_path)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 121])
def test_a_rate_that_makes_no_sense_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(ValueError, match="fps"):
        opened(tmp_path, fps=fps)


@pytest.mark.parametrize("reads", [0, 1, 3])
def test_closing_early_closes_the_file(tmp_path: Path, reads: int) -> None:
    path = film(tmp_path / "gate.mp4")
    source = opened(path)
    for _ in range(reads):
        source.read(0.0)
    source.close()
    assert source.read(0.0) is None
    held = [link.resolve() for link in Path(f"/proc/{os.getpid()}/fd").iterdir() if link.exists()]
    assert path.resolve() not in held
