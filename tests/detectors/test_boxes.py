from __future__ import annotations

import numpy as np
import pytest

from service.detectors.boxes import detections_from
from service.detectors.letterbox import Fit

PLAIN = Fit(1.0, 0, 0)


def one_to_many(*rows: tuple[float, float, float, float, int, float]) -> np.ndarray:
    """Raw output with one anchor a row: centre, size, class, score."""
    raw = np.zeros((9, max(len(rows), 1)), np.float32)
    for anchor, (cx, cy, w, h, class_id, score) in enumerate(rows):
        raw[:4, anchor] = cx, cy, w, h
        raw[4 + class_id, anchor] = score
    return raw


def test_doubles_of_one_class_are_suppressed_others_kept() -> None:
    raw = one_to_many((50, 50, 40, 40, 4, 0.9), (51, 50, 40, 40, 4, 0.8), (50, 50, 40, 40, 2, 0.7))
    seen = detections_from(raw, PLAIN, 100, 100)
    assert seen.class_id.tolist() == [4, 2]
    assert seen.confidence == pytest.approx([0.9, 0.7])
    assert seen.boxes[0].tolist() == [30, 30, 70, 70]


def test_under_the_floor_nothing_is_reported() -> None:
    assert len(detections_from(one_to_many((50, 50, 40, 40, 4, 0.049)), PLAIN, 100, 100)) == 0
    assert len(detections_from(one_to_many((50, 50, 40, 40, 4, 0.051)), PLAIN, 100, 100)) == 1


def test_boxes_are_cut_to_the_picture_and_empty_ones_dropped() -> None:
    raw = one_to_many((5, 50, 40, 40, 4, 0.9), (300, 300, 10, 10, 4, 0.9))
    seen = detections_from(raw, PLAIN, 100, 100)
    assert seen.boxes.tolist() == [[0, 30, 25, 70]]


def test_the_nms_free_head_is_read_by_its_shape() -> None:
    raw = np.array([[10, 20, 30, 60, 0.8, 4], [0, 0, 5, 5, 0.01, 0]], np.float32)
    seen = detections_from(raw, Fit(0.5, 0, 0), 100, 200)
    assert seen.class_id.tolist() == [4]
    assert seen.boxes.tolist() == [[20, 40, 60, 120]]
