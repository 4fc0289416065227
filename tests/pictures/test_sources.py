from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from service.pictures.decode import PictureError, PictureLimits
from service.pictures.sources import SourceError, camera_moments, files_in, film_of, read_picture_file, video_moments
from tests.pictures.films import film


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
    moments = list(video_moments(film(tmp_path / "a.mp4", pictures=30, rate=10), every))
    assert [moment.at for moment in moments] == pytest.approx(times, abs=0.11)


def test_every_picture_is_read_when_asked_for(tmp_path: Path) -> None:
    moments = list(video_moments(film(tmp_path / "a.mp4", pictures=12, rate=10), 0))
    assert [round(moment.at, 3) for moment in moments] == pytest.approx([number / 10 for number in range(12)])
    greys = [float(np.median(moment.image)) for moment in moments]
    assert greys == pytest.approx([10 + 10 * number for number in range(12)], abs=4.9)


def test_a_film_tells_how_long_it_is(tmp_path: Path) -> None:
    header = film_of(film(tmp_path / "a.mp4", pictures=30, rate=10))
    assert (header.seconds, header.rate) == (pytest.approx(3), pytest.approx(10))


def test_a_damaged_film_is_told(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mp4", pictures=30, rate=10).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="damaged"):
        list(video_moments(tmp_path / "cut.mp4", 1))
    with pytest.raises(SourceError, match="no such file"):
        list(video_moments(tmp_path / "none.mp4", 1))


def test_a_film_that_breaks_off_is_told_after_what_could_be_read(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.avi", pictures=100, rate=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    moments = video_moments(tmp_path / "cut.avi", 1)
    assert next(moments).at == 0
    with pytest.raises(SourceError, match="breaks off"):
        list(moments)


def test_nothing_answers_at_a_closed_address() -> None:
    with pytest.raises(SourceError, match="nothing that can be watched"):
        list(camera_moments("http://127.0.0.1:9/x.mp4", 1, 1))


def test_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.mp4", ".cache/d.jpg", "out/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path)] == ["a.png", "b.JPG"]
    found = files_in(tmp_path, recursive=True, without=tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.png", "b.JPG", "sub/c.mp4"]


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    path.touch()
    os.truncate(path, 2**40)  # sparse: it takes no room
    with pytest.raises(PictureError) as caught:
        read_picture_file(path, PictureLimits())
    assert caught.value.code == "IMAGE_TOO_LARGE"
