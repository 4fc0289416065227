"""Film files: which pictures are taken of them, and what is told of those that are none, break off or have no times."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.films import FilmFrame, FilmReader, Samples, UnreadableFilm, open_film
from tests.pictures.films import film, raw


def frames(path: Path, every: float) -> list[FilmFrame]:
    with closing(open_film(path)) as opened:
        return list(opened.frames(every))


@pytest.mark.parametrize(
    ("every", "times"),
    [
        (1.0, [0, 1, 2]),
        (0.5, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.7, [0, 0.7, 1.4, 2.1, 2.8]),
        (60.0, [0]),
    ],
)
def test_a_film_is_read_at_even_times(tmp_path: Path, every: float, times: list[float]) -> None:
    read = frames(film(tmp_path / "a.mp4", pictures=30, rate=10), every)
    assert [frame.at for frame in read] == pytest.approx(times, abs=0.11)


def test_every_picture_is_read_when_asked_for(tmp_path: Path) -> None:
    read = frames(film(tmp_path / "a.mp4", pictures=12, rate=10), 0)
    assert [frame.number for frame in read] == list(range(1, 13))
    assert [round(frame.at, 3) for frame in read] == pytest.approx([number / 10 for number in range(12)])
    greys = [float(np.median(frame.image)) for frame in read]
    assert greys == pytest.approx([10 + 10 * number for number in range(12)], abs=4.9)


def test_a_film_tells_how_long_it_is(tmp_path: Path) -> None:
    with closing(open_film(film(tmp_path / "a.mp4", pictures=30, rate=10))) as opened:
        assert (opened.seconds, opened.rate) == (pytest.approx(3), pytest.approx(10))


def test_a_damaged_film_is_told(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mp4", pictures=30, rate=10).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFilm, match="damaged"):
        open_film(tmp_path / "cut.mp4")
    with pytest.raises(UnreadableFilm, match="can't be read \\(No such file"):
        open_film(tmp_path / "none.mp4")


def test_a_film_that_breaks_off_is_told_after_what_could_be_read(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.avi", pictures=100, rate=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    with closing(open_film(tmp_path / "cut.avi")) as opened:
        read = opened.frames(1)
        assert next(read).at == 0
        with pytest.raises(UnreadableFilm, match="breaks off at"):
            list(read)


@pytest.mark.parametrize("name", ["gate.h264", "gate.265"])
def test_a_raw_stream_is_refused_with_its_mend_and_never_judged_as_one_picture(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFilm) as refusal:
        open_film(raw(tmp_path / name))
    assert refusal.value.code == "SOURCE_INVALID"
    assert refusal.value.detail.endswith(f"ffmpeg -r 25 -i {name} gate.mp4")


@pytest.mark.parametrize("name", ["gate.h264", "gate.265"])
def test_the_mend_of_a_raw_stream_keeps_all_of_it(tmp_path: Path, name: str) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("needs ffmpeg, which is not there")
    with pytest.raises(UnreadableFilm) as refusal:
        open_film(raw(tmp_path / name))
    mend = shlex.split(refusal.value.detail.rpartition(": ")[2])
    done = subprocess.run(mend, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = frames(tmp_path / "gate.mp4", 0)
    assert len(read) == pytest.approx(40, abs=1)
    assert read[-1].at == pytest.approx(39 / 25, abs=0.05)


@pytest.mark.parametrize("head", [b"\0\0\0\1ftyp", b"\0\0\0\1mdat", b"\0\0\1\xba", b"\0\0\1\xb3"])
def test_films_whose_beginning_resembles_a_raw_stream_are_opened(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(head + bytes(100))
    with pytest.raises(UnreadableFilm, match="no video that can be read"):
        open_film(tmp_path / "a.mp4")


class Capture:
    """Decodes as told: a time in seconds a picture, and whether it can be read."""

    def __init__(self, *pictures: tuple[float, bool]) -> None:
        self._pictures = list(pictures)
        self._now = (0.0, False)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def grab(self) -> bool:
        if self._pictures:
            self._now = self._pictures.pop(0)
            return True
        return False

    def retrieve(self) -> tuple[bool, Any]:
        return (True, np.zeros((2, 2, 3), np.uint8)) if self._now[1] else (False, None)

    def get(self, what: int) -> float:
        return self._now[0] * 1000 if what == cv2.CAP_PROP_POS_MSEC else -1.0

    def release(self) -> None:
        pass


def told(*pictures: tuple[float, bool]) -> FilmReader:
    return FilmReader(Capture(*pictures))  # type: ignore[arg-type]


def test_for_a_damaged_picture_the_next_one_is_taken() -> None:
    read = told((0, True), (0.4, True), (1.0, False), (1.1, True), (1.9, True), (2.1, True)).frames(1)
    assert [(frame.at, frame.number) for frame in read] == [(0, 1), (1.1, 4), (2.1, 6)]


def test_pictures_without_times_are_no_film() -> None:
    read = told((0, True), (0, True), (0, True)).frames(0.2)
    assert next(read).number == 1
    with pytest.raises(UnreadableFilm, match="3 pictures that all say to be the first"):
        next(read)


def test_one_picture_is_a_film_and_none_is_not() -> None:
    assert len(list(told((0, True)).frames(1))) == 1
    with pytest.raises(UnreadableFilm, match="holds no picture"):
        list(told((0, False), (1, False)).frames(1))


@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200), st.floats(0.03, 5))
def test_samples_are_the_first_at_or_after_each_multiple(gaps: list[float], every: float) -> None:
    samples, at, before = Samples(every), 0.0, None
    for gap in [0.0, *gaps]:
        at += gap
        slot = int((at + 1e-4) / every // 1)
        assert samples.takes(at) == (before is None or slot > before)
        before = slot


def test_rounded_times_of_a_30_fps_file_give_every_sixth_at_5() -> None:
    samples = Samples(1 / 5)
    assert [k for k in range(60) if samples.takes(round(k / 30, 3))] == list(range(0, 60, 6))
