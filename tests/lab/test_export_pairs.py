"""Boxes of a graph are paired with those of the weights: what stands alone is counted."""

from __future__ import annotations

import json

from service.lab.export import _pair
from tests.safety.scenes import person_at, scene


def test_boxes_without_a_partner_are_counted_and_can_be_written() -> None:
    one, other = person_at(100, 100, 80, 200), person_at(400, 100, 80, 200)
    pairs, alone = _pair(scene(one, other), scene(one), 0.25, 0.01)
    assert [overlap for overlap, _ in pairs] == [1.0]
    assert json.dumps(alone) == "1"
