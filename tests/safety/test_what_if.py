"""Two scenes on the same detections: what both raise, what only one does, and what can't be compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.site import AlertPolicy, Requirement, Scene, Zone
from service.safety.thresholds import Thresholds
from service.safety.what_if import Comparison, compared, lasted
from service.tracking.bytetrack import ByteTrack
from tests.safety.scenes import head_of, person_at, scene, torso_of

LEFT = Zone(id="left", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
RIGHT = Zone(id="right", polygon=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
NEEDS = Thresholds()


def walk(seconds: float = 8.0, rate: float = 2.5) -> Iterator[tuple[Detections, Moment]]:
    """Yield frames of somebody without a vest who stands left, and of somebody with everything who stands right."""
    for index in range(round(seconds * rate)):
        left, right = person_at(60, 60, 120, 300), person_at(440, 60, 120, 300)
        rows = (left, right, head_of(left), torso_of(left, "no-vest"), head_of(right), torso_of(right))
        yield scene(*rows, width=640, height=400), Moment(index / rate, 1_700_000_000_000 + round(1000 * index / rate))


def of(*zones: Zone, **policy: float) -> Scene:
    return Scene(camera="gate", zones=zones, policy=AlertPolicy(**policy))


def judged(before: Scene, after: Scene, seconds: float = 8.0) -> Comparison:
    return compared(walk(seconds), before, after, NEEDS, ByteTrack)


def test_the_same_scene_changes_nothing() -> None:
    found = judged(of(), of())
    assert (found.frames, len(found.both), found.only_before, found.only_after) == (20, 1, (), ())
    assert found.both[0][0] == found.both[0][1]
    assert found.before == found.after
    assert lasted(found.both[0][0]) == pytest.approx(7.6, abs=0.5)


def test_a_zone_that_ends_before_them_takes_their_alert_and_seconds() -> None:
    found = judged(of(LEFT, RIGHT), of(RIGHT))
    assert [alert.zone for alert in found.only_before] == ["left"]
    assert (found.both, found.only_after) == ((), ())
    assert found.before.seconds("vest", "missing") > 6
    assert found.after.seconds("vest", "missing") == 0
    assert found.after.share("vest") == pytest.approx(1, abs=0.1)


def test_a_violation_under_another_name_and_later_is_the_same_one() -> None:
    renamed = LEFT.model_copy(update={"id": "yard"})
    (pair,) = judged(of(LEFT), of(renamed, on_delay=5)).both
    assert [alert.zone for alert in pair] == ["left", "yard"]
    assert pair[1].fired.since(pair[0].fired) == pytest.approx(3, abs=0.5)
    assert [alert.zone for alert in judged(of(LEFT, on_delay=60), of(renamed)).only_after] == ["yard"]


def test_what_is_asked_of_nobody_has_no_coverage() -> None:
    helmets = LEFT.model_copy(update={"require": (Requirement(equipment="helmet"),)})
    found = judged(of(LEFT), of(helmets))
    assert (found.after.share("vest"), found.only_before[0].equipment) == (None, "vest")


def test_nothing_recorded_is_no_fault_and_two_cameras_are() -> None:
    found = compared([], of(), of(), NEEDS, ByteTrack)
    assert (found.frames, found.began, found.ended, found.before.share("helmet")) == (0, None, None, None)
    with pytest.raises(ValueError, match="gate and dock"):
        compared([], of(), Scene(camera="dock"), NEEDS, ByteTrack)


@pytest.mark.thorough
@settings(max_examples=20)
@given(st.sampled_from([(), (LEFT,), (RIGHT,), (LEFT, RIGHT)]), st.floats(0, 8), st.floats(0, 8))
def test_every_alert_stands_in_one_place(zones: tuple[Zone, ...], one: float, other: float) -> None:
    found = judged(of(on_delay=one), of(*zones, on_delay=other), seconds=4)
    assert len(found.both) + len(found.only_before) == len(found.before.alerts)
    assert len(found.both) + len(found.only_after) == len(found.after.alerts)
