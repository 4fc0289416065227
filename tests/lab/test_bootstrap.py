"""Paired intervals: equal models differ by nothing, a better one by more than nothing."""

from __future__ import annotations

import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.lab.bootstrap import differences, figures
from service.lab.evaluate import compare
from service.lab.looking import Groups, Seen
from service.lab.truth import TruthPicture
from service.safety.detections import Detections
from service.safety.thresholds import Thresholds
from tests.safety.scenes import head_of, person_at, scene, torso_of

WORKER = person_at(100, 60, 120, 360)
LABELS = scene(*(("person", 1.0, WORKER[2]), ("no-helmet", 1.0, head_of(WORKER)[2])), width=640, height=480)


def model(share: float, seed: int) -> FakeDetector:
    """A detector that sees the bare head on this share of the pictures, by chance."""
    rng = np.random.default_rng(seed)

    def see(image: object) -> Detections:
        rows = [WORKER, torso_of(WORKER)]
        if rng.uniform() < share:
            rows.append(head_of(WORKER, "no-helmet", 0.5 + 0.4 * rng.uniform()))
        return scene(*rows, width=640, height=480)

    return FakeDetector(see)


def looked(detector: FakeDetector, pictures: int = 80, in_scene: int = 1) -> list[Seen]:
    """Look at pictures of one worker who lacks a helmet."""
    from tests.lab.people import person

    grey = np.full((480, 640, 3), 90, np.uint8)
    seen = []
    for number in range(pictures):
        row = TruthPicture(f"{number}.png", "valid", "0" * 64, 640, 480, (person(WORKER[2], helmet="missing"),))
        both = {"one convention": LABELS, "published": LABELS}
        seen.append(Seen(row, detector.detect(grey), both, scene=f"made/{number // in_scene}"))  # type: ignore[arg-type]
    detector.close()
    return seen


Interval = tuple[float, float, float]


def compared(one: list[Seen], other: list[Seen], draws: int = 300) -> dict[str, Interval]:
    first, second = figures(one, Thresholds()), figures(other, Thresholds())
    found = differences(first, second, [row.scene for row in one], draws=draws)
    return {name: (row.low or 0.0, row.difference, row.high or 0.0) for name, row in found.items()}


def test_a_model_does_not_differ_from_itself() -> None:
    seen = looked(model(0.6, 1))
    found = compared(seen, seen)
    assert "recall of missing helmet" in found
    assert "AP50 no-helmet" in found
    assert set(found.values()) == {(0.0, 0.0, 0.0)}


def test_two_equal_models_give_an_interval_around_nothing() -> None:
    found = compared(looked(model(0.6, 1)), looked(model(0.6, 2)))
    for figure in ("recall of missing helmet", "AP50 no-helmet", "AP50 mean"):
        low, _, high = found[figure]
        assert low < 0 < high


def test_a_better_model_is_told_from_a_worse_one() -> None:
    low, difference, high = compared(looked(model(0.9, 1)), looked(model(0.5, 2)))["recall of missing helmet"]
    assert 0 < low < difference < high < 0.7
    low, _, high = compared(looked(model(0.5, 2)), looked(model(0.9, 1)))["recall of missing helmet"]
    assert low < high < 0


def test_frames_of_one_scene_are_one_witness() -> None:
    """Whole scenes of five pictures that stand and fall together say less than as many pictures apart."""
    sure, unsure = looked(model(1.0, 1)), looked(model(0.0, 2))
    apart = [sure[number] if number % 5 == 0 else unsure[number] for number in range(80)]
    together = [sure[number] if number % 25 < 5 else unsure[number] for number in range(80)]
    widths = []
    for seen, in_scene in ((apart, 1), (together, 5)):
        scenes = [f"made/{number // in_scene}" for number in range(80)]
        found = differences(figures(seen, Thresholds()), figures(unsure, Thresholds()), scenes, draws=300)
        row = found["recall of missing helmet"]
        assert row.low is not None
        assert row.high is not None
        assert row.scenes == 80 // in_scene
        widths.append(row.high - row.low)
    assert widths[1] > 1.5 * widths[0]


def test_too_few_scenes_give_no_interval() -> None:
    seen = looked(model(0.6, 1), in_scene=10)
    first, second = figures(seen, Thresholds()), figures(looked(model(0.6, 2)), Thresholds())
    row = differences(first, second, [one.scene for one in seen], draws=20)["recall of missing helmet"]
    assert (row.scenes, row.low, row.high) == (8, None, None)
    assert row.difference == pytest.approx(row.one - row.other, abs=1e-4)


def test_equal_seeds_give_equal_intervals_and_what_is_not_there_is_left_out() -> None:
    one, other = looked(model(0.6, 1), 20), looked(model(0.6, 2), 20)
    assert compared(one, other) == compared(one, other)
    assert "recall of missing vest" not in compared(one, other)  # nobody lacks one
    assert "AP50 vest" not in compared(one, other)


def test_models_are_compared_on_what_tunes_only() -> None:
    seen = looked(model(0.6, 1), 10)
    groups: Groups = {"made/tune": seen[:5], "made/report": seen[5:]}
    theirs: Groups = {"made/tune": seen[:5]}
    found = compare(groups, Thresholds(), theirs, Thresholds())
    assert set(found) == {"all/tune", "made/tune"}
    expected = {"one": 1.0, "other": 1.0, "difference": 0.0, "low": None, "high": None, "scenes": 5}
    assert found["all/tune"]["AP50 person"] == expected
