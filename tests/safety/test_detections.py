from __future__ import annotations

import numpy as np
import pytest

from service.safety.detections import Detections, empty
from service.safety.equipment import CLASS_ID, PERSON
from tests.safety.scenes import person_at, scene, torso_of


def test_arrays_are_read_only_copies() -> None:
    boxes = np.array([[0, 0, 1, 1]], dtype=np.float32)
    detections = Detections(boxes, np.array([0.5]), np.array([0]), 10, 10)
    boxes[0, 0] = 0.7
    assert detections.boxes[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        detections.boxes[0, 0] = 1


@pytest.mark.parametrize(
    ("boxes", "confidence", "class_id", "size", "said"),
    [
        ([[0, 0, 1, 1]], [0.5, 0.5], [0], (9, 9), "1 boxes, 2 confidences"),
        ([[0, 0, 0, 1]], [0.5], [0], (9, 9), "x2 > x1"),
        ([[0, 0, np.nan, 1]], [0.5], [0], (9, 9), "finite"),
        ([[0, 0, 1, 1]], [1.5], [0], (9, 9), "0..1"),
        ([[0, 0, 1, 1]], [0.5], [5], (9, 9), "class ids"),
        ([[0, 0, 1, 1]], [0.5], [0], (0, 9), "picture of 0x9"),
    ],
)
def test_refuses_what_makes_no_sense(
    boxes: list[list[float]], confidence: list[float], class_id: list[int], size: tuple[int, int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Detections(np.array(boxes), np.array(confidence), np.array(class_id), *size)


def test_questions_answer_with_masks() -> None:
    person = person_at(10, 10)
    detections = scene(person, torso_of(person))
    assert detections.of(PERSON).tolist() == [True, False]
    assert len(detections.where(detections.of(CLASS_ID["vest"], CLASS_ID["no-vest"]))) == 1
    assert len(empty(3, 4)) == 0
