"""Alerts against what is to be seen in a clip: found, missed, false, doubled, on clips made by hand."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.lab.clips import Clip, ClipWorker, Judged, Outline, Visible
from service.lab.dataset.faults import DatasetError
from service.lab.episodes import VARIANTS, Life, Score, episodes, find, play, score, summary
from service.ports import Image
from service.safety.alerts import Alert
from service.safety.detections import Detections
from service.safety.equipment import Equipment
from service.safety.inference import Box
from service.safety.moment import Moment
from service.worker.clock import SystemClock
from tests.safety.films import NearestTracker
from tests.safety.scenes import head_of, person_at, scene, torso_of

WIDTH, HEIGHT, SECONDS = 320, 240, 6.0
MAN = person_at(40, 60, 60, 160)
NOBODY = "?"


def worker(
    *spans: tuple[float, float, Literal["worn", "missing"]],
    name: str = "left-man",
    box: Box = MAN[2],
    until: float = 60.0,
) -> ClipWorker:
    """Return somebody who stands still and whose helmet is judged in `spans`."""
    outlines = tuple(Outline(t, *box) for t in (0.0, until))
    helmet = tuple(Judged(*span) for span in spans)
    return ClipWorker(name, (Visible(0.0, until),), outlines, helmet, (), "")


def clip(*workers: ClipWorker, seconds: float = 60.0, name: str = "a.mp4", sha256: str = "0" * 64) -> Clip:
    return Clip(name, sha256, WIDTH, HEIGHT, 25.0, seconds, "", workers)


def life(fired: float, on: str = "left-man", equipment: Equipment = "helmet", on_right_man: int = 0) -> Life:
    """Return an alert that fired at `fired` and lay on somebody for ten frames."""
    at = Moment(fired, 0)
    alert = Alert(
        f"{fired:016.4f}", "clip", "p1", "whole-picture", equipment, "high", at, at, at, (0.0, 0.0, 1.0, 1.0)
    )  # fmt: skip
    return Life(alert, fired, Counter({on: 10}) + Counter({"right-man": on_right_man}))


def counts(one: Score) -> tuple[int, int, int, int]:
    return one.found, one.missed, one.doubled, one.false


def test_a_long_span_is_an_episode_a_short_one_is_not() -> None:
    found = episodes(clip(worker((0, 3, "missing"), (10, 12.9, "missing"), (20, 60, "worn"))))
    assert [(one.begin, one.end, one.equipment, one.worker.id) for one in found] == [(0, 3, "helmet", "left-man")]


def test_spans_close_together_are_one_episode() -> None:
    joined = episodes(clip(worker((0, 2, "missing"), (5, 6, "missing"), (9.1, 11, "missing"))))
    assert [(one.begin, one.end) for one in joined] == [(0, 6)]
    through_worn = episodes(clip(worker((0, 2, "missing"), (2.5, 3, "worn"), (3.5, 8, "missing"))))
    assert [(one.begin, one.end) for one in through_worn] == [(0, 8)]


def test_each_worker_has_episodes_of_their_own() -> None:
    found = episodes(clip(worker((0, 9, "missing")), worker((5, 20, "missing"), name="right-man")))
    assert [(one.worker.id, one.begin) for one in found] == [("left-man", 0), ("right-man", 5)]


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ([life(12.5)], (1, 0, 0, 0)),
        ([life(10)], (1, 0, 0, 0)),
        ([life(23)], (1, 0, 0, 0)),
        ([life(12.5), life(18)], (1, 0, 1, 0)),
        ([life(12.5), life(15), life(18)], (1, 0, 2, 0)),
        ([], (0, 1, 0, 0)),
        ([life(9.9)], (0, 1, 0, 1)),
        ([life(23.1)], (0, 1, 0, 1)),
        ([life(12.5, on="right-man")], (0, 1, 0, 1)),
        ([life(12.5, on=NOBODY)], (0, 1, 0, 1)),
        ([life(12.5, equipment="vest")], (0, 1, 0, 1)),
        ([life(41)], (0, 1, 0, 0)),
        ([life(42.1)], (0, 1, 0, 1)),
    ],
    ids=[
        "in time",
        "at its begin",
        "late, but soon after its end",
        "twice",
        "three times",
        "never",
        "before it",
        "long after it",
        "on somebody else",
        "on nobody",
        "about something else",
        "in a span too short to be asked for",
        "after that span",
    ],
)
def test_how_alerts_are_scored(lives: list[Life], expected: tuple[int, int, int, int]) -> None:
    """One episode from 10 to 20 s, and two seconds without a helmet from 40 s that need no alert."""
    shown = clip(worker((10, 20, "missing"), (25, 39, "worn"), (40, 42, "missing")), worker(name="right-man"))
    assert counts(score(shown, "5 fps", lives)) == expected


def test_delays_count_from_the_begin_to_the_first_alert() -> None:
    shown = clip(worker((10, 20, "missing"), (30, 40, "missing")))
    one = score(shown, "5 fps", [life(15.25), life(12.5), life(33)])
    assert (one.episodes, one.delays) == (2, (2.5, 3.0))
    assert one.alerts == ("helmet@left-man",) * 3


def test_an_alert_is_about_whom_it_lay_on_most() -> None:
    shown = clip(worker((10, 20, "missing")), worker(name="right-man"))
    assert counts(score(shown, "5 fps", [life(12, on_right_man=9)])) == (1, 0, 0, 0)
    assert counts(score(shown, "5 fps", [life(12, on_right_man=11)])) == (0, 1, 0, 1)


def test_variants_are_alike_when_they_alert_on_the_same_people() -> None:
    shown = clip(worker((10, 20, "missing")))
    scores = [
        score(shown, "5 fps", [life(12)]),
        score(shown, "10 fps", [life(11.5)]),
        score(shown, "mirrored", []),
        score(shown, "brightness +20 %", [life(12), life(14)]),
    ]
    alike = summary(scores)["same_alerts_as_5_fps"]["a.mp4"]
    assert alike == {"5 fps": True, "10 fps": True, "mirrored": False, "brightness +20 %": False}


def test_false_alerts_are_counted_where_nothing_is_wrong() -> None:
    quiet, busy = clip(worker(), seconds=360), clip(worker((10, 20, "missing")), name="b.mp4")
    told = summary([score(quiet, "5 fps", []), score(busy, "5 fps", [life(50)]), score(quiet, "10 fps", [life(1)])])
    assert (told["quiet_hours"], told["false_alerts_in_quiet"]) == (0.1, 0)
    assert told["false_alerts_per_camera_hour_upper_95"] == 30.0  # the rule of three
    assert json.loads(json.dumps(told))["clips"][1]["missed"] == 1
    noisy = summary([score(quiet, "5 fps", [life(50)])])
    assert (noisy["false_alerts_in_quiet"], noisy["false_alerts_per_camera_hour_upper_95"]) == (1, None)
    assert summary([score(busy, "5 fps", [])])["false_alerts_per_camera_hour_upper_95"] is None


def film(path: Path) -> Path:
    """Write a clip that is dark on its left half; that is all it shows."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    image[:, : WIDTH // 2] = 20
    for _ in range(round(SECONDS * 25)):
        writer.write(image)
    writer.release()
    return path


def bare_head_on_the_dark_side(image: Image) -> Detections:
    man = MAN if image[:, : WIDTH // 2].mean() < image[:, WIDTH // 2 :].mean() else person_at(220, 60, 60, 160)
    return scene(man, head_of(man, "no-helmet"), torso_of(man), width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_clip_is_played_and_boxes_come_back_from_the_mirror(tmp_path: Path, variant: str) -> None:
    path = film(tmp_path / "a.avi")
    stands = worker((0, SECONDS, "missing"), until=SECONDS)
    other = worker(name="right-man", box=(220, 60, 280, 220), until=SECONDS)
    shown = clip(stands, other, seconds=SECONDS, name=path.name)
    detector = FakeDetector(bare_head_on_the_dark_side)
    lives = list(play(path, shown, detector, NearestTracker(), SystemClock(), variant))
    detector.close()
    (one,) = lives
    assert one.worker == "left-man"
    assert set(one.on) == {"left-man"}
    assert len(detector.seen) == pytest.approx(SECONDS * VARIANTS[variant][0], abs=2)
    scored = score(shown, variant, lives)
    assert counts(scored) == (1, 0, 0, 0)
    assert scored.delays == pytest.approx((2.2,), abs=0.4)


def test_a_clip_is_the_one_that_was_watched(tmp_path: Path) -> None:
    content = film(tmp_path / "a.mp4.avi").rename(tmp_path / "a.mp4").read_bytes()
    watched = clip(sha256=hashlib.sha256(content).hexdigest())
    assert find(tmp_path, watched) == tmp_path / "a.mp4"
    with pytest.raises(DatasetError, match=r"a\.mp4: is not the clip that was watched"):
        find(tmp_path, clip())
    with pytest.raises(DatasetError, match=r"b\.mp4: can't read this clip \(No such file"):
        find(tmp_path, clip(name="b.mp4"))
