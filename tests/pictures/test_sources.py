from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.pictures.decode import PictureError, PictureLimits
from service.pictures.sources import SourceError, camera_moments, files_in, read_picture_file


def test_nothing_answers_at_a_closed_address() -> None:
    with pytest.raises(SourceError, match="nothing that can be watched"):
        list(camera_moments("http://127.0.0.1:9/x.mp4", 1, 1))


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "0.0.0.0"]
)
@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_an_address_that_no_camera_has_is_not_opened(scheme: str, host: str) -> None:
    with pytest.raises(SourceError, match="no camera has"):
        list(camera_moments(f"{scheme}://{host}/x.mp4", 1, 1))


@pytest.mark.parametrize("url", ["http://[::1/x", "http:///x", "http://a..b/x", f"http://{'a' * 70}/x"])
def test_what_is_no_host_is_told_and_not_repeated(url: str) -> None:
    with pytest.raises(SourceError, match="nothing that can be watched answers"):
        list(camera_moments(url, 1, 1))


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
