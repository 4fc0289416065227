"""People who could be judged and have been unknown for long: told once each, on stdout and in the saved film."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from service.ports import Image
from service.safety.detections import Detections
from tests.cli.test_watch import events, watch
from tests.cli.workers import run, two_workers
from tests.pictures.films import film


def _headless(image: Image) -> Detections:
    """See two workers, and nothing of what is on their heads."""
    seen = two_workers(image)
    return seen.where(~seen.of(0))


def test_who_becomes_unverified_is_one_line_each_not_one_a_frame(tmp_path: Path) -> None:
    long = film(tmp_path / "long.mp4", pictures=40, rate=2)
    lines = watch("--source", long, see=_headless).splitlines()
    doubts = [line for line in lines if "unverified" in line]
    assert len(doubts) == 3, lines
    for line in doubts[:2]:
        assert line.startswith("0:10.")
        assert "unverified helmet unknown since 0:00.5  person " in line
        assert line.endswith("zone whole-picture")
    assert "2 people followed, 2 of them unverified for a while, alerts: 1 vest missing" in doubts[2]
    told = events(watch("--source", long, "--json", "--record", tmp_path / "a.jsonl", see=_headless))
    one, other = (event for event in told if event["type"] == "person.unverified")
    assert one["data"] != other["data"]
    data = one["data"]
    assert isinstance(data, dict)
    assert (data["equipment"], data["since"]) == (["helmet"], "1970-01-01T00:00:00.500Z")
    assert events(run("replay", tmp_path / "a.jsonl", "--json").stdout) == told


def test_the_saved_film_says_how_many_are_unverified(tmp_path: Path) -> None:
    long = film(tmp_path / "long.mp4", pictures=40, rate=2)
    watch("--source", long, "--save", tmp_path / "judged.mp4", see=_headless)
    watch("--source", long, "--save", tmp_path / "plain.mp4")
    banners = []
    for name in ("judged.mp4", "plain.mp4"):
        with av.open(str(tmp_path / name)) as container:
            last = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)][-1]
        banners.append(last[240:260, 150:].astype(int))
    assert np.abs(banners[0] - banners[1]).max() > 100


def test_it_is_told_again_only_after_it_was_known(tmp_path: Path) -> None:
    """20 s without heads, on one frame nobody at all; 10 s with heads; 20 s without."""
    long = film(tmp_path / "long.mp4", pictures=100, rate=2)
    numbers = iter(range(100))

    def see(image: Image) -> Detections:
        number = next(numbers)
        seen = two_workers(image)
        if number == 30:
            return seen.where(seen.of(0) & ~seen.of(0))
        return seen if 40 <= number < 60 else seen.where(~seen.of(0))

    told = [line for line in watch("--source", long, see=see).splitlines() if "  unverified " in line]
    assert [int(line[2:4]) >= 40 for line in told] == [False, False, True, True]
