"""What every detector promises, run on the real ones and on the fake that tests use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from service.detectors.fake import FakeDetector
from service.detectors.manifest import read_weights
from service.detectors.openvino import OpenVinoDetector
from service.detectors.second_look import SecondLook
from service.ports import Detector, DetectorClosed, Image
from service.safety.detections import Detections
from service.settings import shipped

PHOTO = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
MANIFEST = shipped("weights") / "manifest.json"


def fake() -> Detector:
    def see(image: Image) -> Detections:
        height, width = image.shape[:2]
        box = np.array([[0.2 * width, 0.1 * height, 0.7 * width, 0.9 * height]])
        return Detections(box, np.array([0.9]), np.array([4]), width, height, 640 / max(width, height))

    return FakeDetector(see)


def openvino() -> Detector:
    return OpenVinoDetector(read_weights(MANIFEST, "onnx"), precision="f32")


def ultralytics() -> Detector:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed (extra: train)")
    from service.detectors.ultralytics import UltralyticsDetector

    return UltralyticsDetector(read_weights(MANIFEST, "pt"), device="cpu")


def second_look() -> Detector:
    return SecondLook(fake(), fake(), most=4)


@pytest.fixture(params=[fake, openvino, ultralytics, second_look], ids=lambda make: make.__name__, scope="module")
def detector(request: pytest.FixtureRequest) -> Iterator[Detector]:
    made: Detector = request.param()
    yield made
    made.close()


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.asarray(cv2.imread(str(PHOTO)), np.uint8)


def crops(photo: Image) -> list[Image]:
    """Pictures of different shapes: square, landscape, portrait, small, large."""
    tall = photo[:, : photo.shape[1] * 2 // 3]
    return [
        np.ascontiguousarray(image)
        for image in (photo, tall, photo[:300], cv2.resize(photo, None, fx=0.3, fy=0.3), cv2.resize(photo, (1600, 900)))
    ]


def test_names_its_model(detector: Detector) -> None:
    assert detector.model.name
    assert len(detector.model.sha256) == 64


def test_sees_the_person_on_a_photograph(detector: Detector, photo: Image) -> None:
    seen = detector.detect(photo)
    people = seen.where(seen.of(4))
    assert people.confidence.max() > 0.3
    x1, y1, x2, y2 = people.boxes[people.confidence.argmax()]
    assert x2 - x1 > 0.4 * photo.shape[1]
    assert y2 - y1 > 0.5 * photo.shape[0]


def test_answers_in_the_pictures_own_pixels(detector: Detector, photo: Image) -> None:
    for image in crops(photo):
        seen = detector.detect(image)
        assert (seen.width, seen.height) == (image.shape[1], image.shape[0])
        assert seen.scale == pytest.approx(640 / max(seen.width, seen.height))
        assert (seen.boxes >= 0).all()
        assert (seen.boxes[:, [0, 2]] <= seen.width).all()
        assert (seen.boxes[:, [1, 3]] <= seen.height).all()
        assert (seen.confidence >= 0.05).all()


def test_submit_resolves_to_what_detect_says(detector: Detector, photo: Image) -> None:
    one, two = detector.submit(photo).result(30), detector.detect(photo)
    np.testing.assert_array_equal(one.class_id, two.class_id)
    np.testing.assert_allclose(one.confidence, two.confidence, atol=1e-4)


def test_callers_at_once_each_get_their_own_picture_back(detector: Detector, photo: Image) -> None:
    images = crops(photo)
    alone = [detector.detect(image) for image in images]
    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(detector.detect, images * 4))
    for index, seen in enumerate(together):
        expected = alone[index % len(images)]
        assert (seen.width, seen.height) == (expected.width, expected.height)
        sure = expected.where(expected.confidence >= 0.3)
        also = seen.where(seen.confidence >= 0.28)
        assert len(also) >= len(sure)


def test_a_picture_with_nothing_on_it(detector: Detector) -> None:
    seen = detector.detect(np.full((64, 48, 3), 114, np.uint8))
    assert (seen.width, seen.height) == (48, 64)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_refuses_what_is_no_picture(detector: Detector, image: Image) -> None:
    with pytest.raises(ValueError, match="expected a"):
        detector.submit(image)


@pytest.mark.parametrize("make", [fake, openvino, ultralytics])
def test_close_finishes_what_runs_then_refuses(make: Callable[[], Detector], photo: Image) -> None:
    detector = make()
    running = [detector.submit(photo) for _ in range(4)]
    detector.close()
    assert all(future.result(0) is not None for future in running)
    with pytest.raises(DetectorClosed):
        detector.submit(photo)
    detector.close()


def test_the_ultralytics_detector_outlives_a_cancelled_caller(photo: Image) -> None:
    detector = ultralytics()
    futures = [detector.submit(photo) for _ in range(6)]
    futures[-1].cancel()
    assert detector.detect(photo).width == photo.shape[1]
    detector.close()


@pytest.mark.thorough
def test_openvino_keeps_few_shapes_and_stays_right(photo: Image) -> None:
    detector = OpenVinoDetector(read_weights(MANIFEST, "onnx"), precision="f32", streams=2)
    shapes = [(640, 640), (1280, 720), (720, 1280), (800, 600), (600, 800)]
    images = [np.asarray(cv2.resize(photo, shape), np.uint8) for shape in shapes]
    first = [detector.detect(image) for image in images]
    barrier = threading.Barrier(3)

    def again(_: int) -> list[Detections]:
        barrier.wait()
        return [detector.detect(image) for image in images]

    with ThreadPoolExecutor(3) as callers:
        for round_of in callers.map(again, range(3)):
            for one, two in zip(first, round_of, strict=True):
                np.testing.assert_allclose(one.confidence, two.confidence, atol=1e-4)
    detector.close()
