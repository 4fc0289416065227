"""Drawn pictures are held as long as what they show."""

from __future__ import annotations

import numpy as np

from service.api.drawn import Drawings
from service.health import View
from service.safety.detections import empty


def shown() -> View:
    return View(np.zeros((360, 640, 3), np.uint8), (), empty(640, 360), blurred=True)


def test_a_drawing_goes_with_its_picture() -> None:
    drawings, gate, dock = Drawings(), shown(), shown()
    first = drawings.of("gate", gate)
    assert drawings.of("gate", gate) is first
    drawings.of("gate", gate, 320)
    drawings.of("dock", dock)
    del gate
    assert list(drawings._kept) == [("dock", 0, True)]


def test_a_picture_that_is_followed_leaves_its_follower_alone() -> None:
    drawings, before, now = Drawings(), shown(), shown()
    drawings.of("gate", before)
    drawn = drawings.of("gate", now)
    del before
    assert drawings.of("gate", now) is drawn
