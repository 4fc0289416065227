from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from service.pictures.film import Film, draw_banner, draw_zones
from service.ports import Image
from service.safety.site import Zone


def grey(value: int, width: int = 160, height: int = 120) -> Image:
    return np.full((height, width, 3), value, dtype=np.uint8)


@dataclass
class Read:
    codec: str
    pixels: str
    size: tuple[int, int]
    seconds: float
    times: list[float]
    pictures: list[Image]


def read(path: Path) -> Read:
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        assert stream.duration
        assert stream.time_base
        frames = list(container.decode(stream))
        context = stream.codec_context
        return Read(
            context.name,
            str(context.pix_fmt),
            (context.width, context.height),
            float(stream.duration * stream.time_base),
            [float(frame.time) for frame in frames],
            [frame.to_ndarray(format="bgr24") for frame in frames],
        )


def test_browsers_play_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Film(path, 5) as film:
        for value in range(0, 250, 10):
            film.add(grey(value))
    judged = read(path)
    assert (judged.codec, judged.pixels, judged.size) == ("h264", "yuv420p", (160, 120))
    assert judged.seconds == pytest.approx(5)
    assert judged.times == pytest.approx([number / 5 for number in range(25)])
    assert [float(np.median(picture)) for picture in judged.pictures] == pytest.approx(list(range(0, 250, 10)), abs=4)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_pictures_have_the_times_that_they_are_given(tmp_path: Path) -> None:
    """A film of two pictures a second plays for as long as it took, whatever rate was asked for."""
    with Film(tmp_path / "a.mp4", 5) as film:
        for number in range(8):
            film.add(grey(20 * number), at=number * 0.5)
    judged = read(tmp_path / "a.mp4")
    assert judged.times == pytest.approx([number * 0.5 for number in range(8)])


def test_times_never_go_back(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4", 5) as film:
        for at in (0.0, 0.0, 1.0, 0.5, 1.5):
            film.add(grey(90), at=at)
    times = read(tmp_path / "a.mp4").times
    assert all(later > earlier for earlier, later in pairwise(times))
    assert len(times) == 5


@pytest.mark.parametrize(
    ("width", "height", "size"), [(161, 121, (160, 120)), (160, 121, (160, 120)), (2, 2, (2, 2)), (3, 2, (2, 2))]
)
def test_odd_sides_lose_a_row_or_column(tmp_path: Path, width: int, height: int, size: tuple[int, int]) -> None:
    with Film(tmp_path / "a.mp4", 5) as film:
        film.add(grey(90, width, height))
        film.add(grey(120, width, height))
    assert read(tmp_path / "a.mp4").size == size


def test_pictures_of_other_sizes_are_fitted_in(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4", 1) as film:
        film.add(grey(200))
        film.add(grey(200, 60, 240))
        film.add(grey(200, 1, 1))
    first, tall, dot = read(tmp_path / "a.mp4").pictures
    assert first.shape == tall.shape == dot.shape
    assert float(np.median(tall[:, 70:90])) == pytest.approx(200, abs=4)
    assert tall[:, :50].max() < 30


def test_any_name_is_an_mp4_and_one_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "judged"
    path.write_text("something else" * 10_000)
    with Film(path, 5) as film:
        film.add(grey(90))
    assert len(read(path).times) == 1


def test_a_film_without_pictures_is_closed_without_a_fault(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4", 5):
        pass
    assert (tmp_path / "a.mp4").exists()


def test_a_film_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Film(tmp_path / "no" / "a.mp4", 5)
    with pytest.raises(IsADirectoryError):
        Film(tmp_path, 5)


def test_zones_are_outlined_on_a_copy() -> None:
    image = grey(0)
    zone = Zone(id="yard", name="Yard 작업장", polygon=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))
    drawn = draw_zones(image, [zone])
    assert image.max() == 0
    assert drawn[12, 80].min() > 100
    assert drawn[60, 80].max() == 0
    assert draw_zones(image, []).max() == 0


def test_a_banner_stands_under_the_picture() -> None:
    image = grey(200)
    told = draw_banner(image, ["0:02.2  1 open alerts", "vest missing since 0:00.2 (yard)"])
    assert told.dtype == np.uint8
    assert told.shape[0] > image.shape[0]
    assert np.array_equal(told[: image.shape[0]], image)
    assert np.ptp(told[image.shape[0] :]) > 100
