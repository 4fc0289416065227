"""The self-test passes the arithmetic of every engine and fails what does not see: colours, classes, other weights."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from service.detectors.fake import FakeDetector
from service.detectors.golden import MOST_CONFIDENCE, golden_picture, likeness
from service.detectors.manifest import Golden, GoldenBox, WeightsError, read_manifest, read_weights
from service.detectors.openvino import OpenVinoDetector
from service.detectors.second_look import SecondLook
from service.detectors.self_test import SelfTest
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from tests.cli.workers import real_weights

EXPECTED = tuple(
    GoldenBox(name=name, confidence=0.8, box=(100.0 * index, 10, 100.0 * index + 80, 200))
    for index, name in enumerate(CLASSES)
)
PICTURE = np.zeros((384, 640, 3), np.uint8)


def seen(
    confidence: float = 0.8, order: tuple[int, ...] = (0, 1, 2, 3, 4), shift: float = 0, kept: int = 5
) -> Detections:
    boxes: NDArray[np.float32] = np.array([box.box for box in EXPECTED], np.float32) + np.float32(shift)
    return Detections(boxes[:kept], np.full(kept, confidence, np.float32), np.array(order[:kept]), 640, 384)


def test_what_should_be_seen_is() -> None:
    found = likeness(EXPECTED, seen())
    assert (found.faults, found.expected, found.least_iou) == ((), 5, pytest.approx(1))
    assert likeness(EXPECTED, seen(0.8 - MOST_CONFIDENCE / 2, shift=2)).faults == ()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (seen(0.65), "helmet is seen with confidence 0.65 instead of 0.80"),
        (seen(order=(1, 0, 2, 3, 4)), "helmet is not seen"),
        (seen(shift=15), "helmet is seen elsewhere"),
        (seen(kept=4), "person is not seen"),
        (seen(kept=0), "vest is not seen"),
    ],
    ids=["unsure", "classes-permuted", "elsewhere", "one-less", "nothing"],
)
def test_what_does_not_see_is_a_fault(bad: Detections, words: str) -> None:
    assert any(words in fault for fault in likeness(EXPECTED, bad).faults)


def test_what_is_seen_too_much_is_a_fault_when_it_is_sure() -> None:
    def more(confidence: float) -> Detections:
        boxes = np.vstack([seen().boxes, [[0, 250, 90, 380]]]).astype(np.float32)
        return Detections(boxes, np.array([0.8] * 5 + [confidence], np.float32), np.array([0, 1, 2, 3, 4, 4]), 640, 384)

    assert likeness(EXPECTED, more(0.4)).faults == ()
    assert likeness(EXPECTED, more(0.6)).faults == ("person is seen where there is none",)


def test_a_fault_is_kept_until_a_test_passes() -> None:
    answers: list[Detections | Exception] = [seen(), seen(kept=0), ValueError("nan"), seen()]

    def look(_: Image) -> Detections:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    test = SelfTest(FakeDetector(look), PICTURE, EXPECTED)
    assert (test.run(), test.fault) == ("", "")
    assert "person is not seen" in test.run()
    assert "fails on its golden picture (ValueError: nan)" in test.run()
    assert test.fault
    assert (test.run(), test.fault) == ("", "")


def test_one_that_does_not_answer_is_a_fault() -> None:
    answered = threading.Event()

    def hang(_: Image) -> Detections:
        answered.wait(10)
        return seen()

    detector = FakeDetector(hang)
    assert SelfTest(detector, PICTURE, EXPECTED, patience=0.01).run() == "it has not answered for 0.01 s"
    answered.set()
    detector.close()


def test_a_golden_picture_that_is_another_one_is_refused(tmp_path: Path) -> None:
    golden = Golden(picture="golden.png", sha256="0" * 64, boxes=EXPECTED)
    with pytest.raises(WeightsError, match="is not there"):
        golden_picture(golden, tmp_path / "manifest.json")
    (tmp_path / "golden.png").write_bytes(cv2.imencode(".png", PICTURE)[1].tobytes())
    with pytest.raises(WeightsError, match="not the golden picture that"):
        golden_picture(golden, tmp_path / "manifest.json")


def test_the_shipped_weights_see_what_they_should_and_not_in_other_colours() -> None:
    manifest = real_weights()
    golden = read_manifest(manifest).golden
    assert golden is not None
    whole = OpenVinoDetector(read_weights(manifest, "onnx"), precision="f32", streams=1)
    detector = SecondLook(whole, whole.with_inputs((320, 320)), most=4, streams=1)
    picture = golden_picture(golden, manifest)
    assert manifest.with_name(golden.picture).stat().st_size < 30_000
    found = likeness(golden.boxes, detector.detect(picture))
    assert (found.faults, found.most_confidence < 0.01) == ((), True)
    exchanged = likeness(golden.boxes, detector.detect(np.ascontiguousarray(picture[..., ::-1])))
    assert len(exchanged.faults) >= len(golden.boxes) - 2  # people may stay people
    detector.close()
