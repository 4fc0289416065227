"""Which frames the gate leaves out, and that it hides nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pictures.glance import glance
from service.ports import Image
from service.safety.motion import EVERY, OCCUPIED, MotionGate
from service.safety.view import Glance
from tests.safety.films import moment
from tests.safety.pictures import lit, noisy, seen, walking, yard

HERE = seen(yard())


def judged(shown: Image) -> MotionGate:
    gate = MotionGate()
    gate.judged(glance(shown), moment(0), somebody=False)
    return gate


def test_an_empty_still_scene_is_judged_a_few_times_less() -> None:
    gate, asked = MotionGate(), []
    for number in range(50):
        at, look = moment(number / 5), glance(noisy(HERE, 2, number))
        if gate.needs(look, at, occupied=False):
            gate.judged(look, at, somebody=False)
            asked.append(number)
    assert asked == list(range(0, 50, 3))


@pytest.mark.parametrize("height", [12, 25, 100])
def test_who_comes_is_judged_at_once(height: int) -> None:
    gate = judged(noisy(HERE, 2, 1))
    assert not gate.needs(glance(noisy(HERE, 2, 2)), moment(0.2), occupied=False)
    assert gate.needs(glance(noisy(walking(HERE, 0.1, height), 2, 2)), moment(0.2), occupied=False)
    assert gate.needs(glance(lit(HERE, 0.9)), moment(0.2), occupied=False)


def test_who_stands_still_is_judged_on_every_frame_and_for_a_while_after() -> None:
    gate = judged(HERE)
    gate.judged(glance(HERE), moment(0.6), somebody=True)
    for number in range(50):
        at = moment(0.8 + number / 5)
        assert gate.needs(glance(HERE), at, occupied=False)
        gate.judged(glance(HERE), at, somebody=number < 20)
    last = 0.8 + 19 / 5
    gate.judged(glance(HERE), moment(last + OCCUPIED), somebody=False)
    assert not gate.needs(glance(HERE), moment(last + OCCUPIED + 0.2), occupied=False)


def test_an_open_alert_is_judged_on_every_frame() -> None:
    assert judged(HERE).needs(glance(HERE), moment(0.2), occupied=True)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans(), st.booleans()), max_size=60))
def test_nothing_is_unlooked_at_for_long_and_nobody_is_left_out(life: list[tuple[float, bool, bool]]) -> None:
    """Whatever moves and whoever is there: the frames between two judged ones span less than `EVERY`."""
    gate, at, last, there = MotionGate(), 0.0, float("-inf"), float("-inf")
    grey = np.full((36, 64), 90, np.uint8)
    for gap, somebody, occupied in life:
        at += gap
        needed = gate.needs(Glance(grey, 1), moment(at), occupied=occupied)
        if occupied or at - last >= EVERY or at - there <= OCCUPIED:
            assert needed
        if needed:
            last = at
            there = at if somebody else there
            gate.judged(Glance(grey, 1), moment(at), somebody=somebody)
