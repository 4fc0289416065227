"""The shipped weights on the development clips, by the defaults: who lacks a vest is told once, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import app
from service.detectors.lent import lent
from service.detectors.opening import open_detector
from service.settings import Settings
from tests.cli.workers import real_weights
from tests.conftest import NO_DATASETS

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Judged:
    """What `ppe watch` left of a clip."""

    clip: Path
    told: str
    saved: Path
    recording: Path

    @property
    def fired(self) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in self.told.splitlines()]
        return [event["data"] for event in events if event["type"] == "alert.fired"]


Judge = Callable[[str], Judged]
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def ppe() -> Iterator[Command]:
    """Run ``ppe`` with the shipped weights, which are loaded once."""
    real_weights()
    detector = open_detector(Settings())
    yield lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments], obj=lambda _: lent(detector))
    detector.close()


@pytest.fixture(scope="module")
def judge(datasets: Path, ppe: Command, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Judge a clip, each one once."""
    done: dict[str, Judged] = {}

    def judged(name: str) -> Judged:
        if name not in done:
            clip, folder = datasets / "clips" / f"{name}.mp4", tmp_path_factory.mktemp(name)
            if not clip.is_file():
                pytest.skip(NO_DATASETS)
            saved, recording = folder / "judged.mp4", folder / "detections.jsonl"
            save = ["--save", saved] if name == "pratim_ppe-1" else []  # drawing takes as long as judging
            result = ppe("watch", "--source", clip, "--json", "--record", recording, *save)
            assert result.exit_code == 0, result.stderr
            done[name] = Judged(clip, result.stdout, saved, recording)
        return done[name]

    return judged


def test_two_who_wear_everything_are_no_alert(judge: Judge) -> None:
    assert judge("pratim_ppe-2").told == ""


def test_two_without_vests_are_one_vest_alert_each(judge: Judge) -> None:
    fired = judge("pratim_ppe-1").fired
    assert [alert["equipment"] for alert in fired] == ["vest", "vest"]
    assert len({alert["person"] for alert in fired}) == 2
    assert all(alert["duration_s"] <= 3.5 for alert in fired)


def test_a_second_run_tells_the_same_bytes(judge: Judge, ppe: Command) -> None:
    first = judge("pratim_ppe-1")
    assert ppe("watch", "--source", first.clip, "--json").stdout == first.told


@pytest.mark.parametrize("name", ["pratim_ppe-1", "pratim_ppe-2"])
def test_a_replay_tells_the_same_bytes(judge: Judge, ppe: Command, name: str) -> None:
    judged = judge(name)
    replayed = ppe("replay", judged.recording, "--json")
    assert (replayed.exit_code, replayed.stdout) == (0, judged.told)


def test_the_annotated_film_plays_in_browsers(judge: Judge) -> None:
    judged = judge("pratim_ppe-1")
    with av.open(str(judged.clip)) as clip:
        assert clip.duration
        seconds = clip.duration / av.time_base
    with av.open(str(judged.saved)) as film:
        (stream,) = film.streams.video
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert film.duration
        assert film.duration / av.time_base == pytest.approx(seconds, abs=0.3)
        assert stream.frames == len(judged.recording.read_text().splitlines()) - 1
