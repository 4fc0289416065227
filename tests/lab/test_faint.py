"""Detectors for evaluation: they see what the service sees, and what it would not report."""

from __future__ import annotations

import numpy as np
import pytest

from service.detectors.boxes import FLOOR, detections_from
from service.detectors.letterbox import Fit
from service.detectors.manifest import read_weights
from service.detectors.openvino import OpenVinoDetector
from service.lab.faint import LEAST, FaintPt, decoded, open_faint
from service.safety.equipment import CLASSES
from service.settings import shipped

FIT = Fit(1.0, 0, 0)


def one_to_many(seed: int = 1, anchors: int = 60) -> np.ndarray:
    """Make a raw output: boxes that overlap here and there, scores from nearly 0 to nearly 1."""
    rng = np.random.default_rng(seed)
    centres, sizes = rng.uniform(100, 500, (2, anchors)), rng.uniform(20, 150, (2, anchors))
    scores = 10 ** rng.uniform(-4, 0, (len(CLASSES), anchors))
    return np.vstack([centres, sizes, scores]).astype(np.float32)


def end_to_end(seed: int = 1, boxes: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 400, (boxes, 2)), rng.uniform(20, 150, (boxes, 2))
    scores = 10 ** rng.uniform(-4, 0, (boxes, 1))
    return np.hstack([corner, corner + size, scores, rng.integers(0, 5, (boxes, 1))]).astype(np.float32)


@pytest.mark.parametrize("make", [one_to_many, end_to_end])
@pytest.mark.parametrize("seed", range(5))
def test_what_the_service_reports_is_among_it_unchanged(make: object, seed: int) -> None:
    raw = make(seed)  # type: ignore[operator]
    before = raw.copy()
    service, faint = detections_from(raw, FIT, 640, 640), decoded(raw, FIT, 640, 640)
    strong = faint.where(faint.confidence >= FLOOR)
    order = [np.lexsort((*one.boxes.T, one.confidence.round(5))) for one in (service, strong)]
    assert np.allclose(service.boxes[order[0]], strong.boxes[order[1]])
    assert np.allclose(service.confidence[order[0]], strong.confidence[order[1]], atol=1e-5)
    assert (service.class_id[order[0]] == strong.class_id[order[1]]).all()
    assert len(faint) > len(service)
    assert faint.confidence.min() >= LEAST - 1e-6
    assert (raw == before).all()


def test_the_shipped_graph_sees_a_photograph_as_the_service_does() -> None:
    manifest = shipped("weights") / "manifest.json"
    if not manifest.is_file():
        pytest.skip(f"needs the project's weights, and {manifest} is not there")
    image = np.random.default_rng(1).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    image[60:330, 200:300] = (30, 200, 230)
    service = OpenVinoDetector(read_weights(manifest, "onnx"), precision="f32")
    faint = open_faint(manifest, "f32")
    plain, more = service.detect(image), faint.detect(image)
    strong = more.where(more.confidence >= FLOOR)
    service.close()
    faint.close()
    assert more.scale == plain.scale == 1.0
    assert len(strong) == len(plain)
    assert np.allclose(np.sort(strong.confidence), np.sort(plain.confidence), atol=1e-4)
    assert len(more) > len(plain)


def test_the_pt_sees_what_the_graph_sees(trained: object) -> None:
    manifest = shipped("weights") / "manifest.json"
    image = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    image[60:280, 100:200] = (30, 200, 230)
    pt, faint = FaintPt(manifest), open_faint(manifest, "f32")
    theirs, ours = pt.submit(image).result(), faint.detect(image)
    pt.close()
    faint.close()
    assert pt.model.version == faint.model.version
    assert abs(len(theirs) - len(ours)) <= 2
    strongest = min(len(theirs), len(ours), 5)
    assert np.allclose(
        np.sort(theirs.confidence)[::-1][:strongest], np.sort(ours.confidence)[::-1][:strongest], atol=0.005
    )
