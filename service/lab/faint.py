"""Detectors that also report what they hardly believe, for curves that begin at a confidence of 0.001.

The service's detector reports nothing under `boxes.FLOOR`. Here the class scores are raised to a power that brings
0.001 to that floor, go through the service's own decoding, and are brought back: a power keeps every order, so the
boxes of the service are among these, unchanged.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from service.detectors.boxes import FLOOR, MOST, NMS_IOU, Raw, detections_from
from service.detectors.letterbox import Fit, best_shape, letterbox
from service.detectors.manifest import WeightsError, check_classes, read_weights
from service.detectors.openvino import OpenVinoDetector, Precision
from service.lab.train import go_offline
from service.ports import Detector, Image, Model
from service.safety.detections import Detections

LEAST: Final = 0.001
"""Confidence from which boxes are reported; ultralytics' validator begins there too."""
_POWER: Final = math.log(FLOOR) / math.log(LEAST)


def open_faint(manifest: Path, precision: Precision = "auto") -> Detector:
    """Open the ONNX graph of weights as the service runs it, reporting from `LEAST` on.

    Raises:
        WeightsError: see `OpenVinoDetector`.
    """
    return OpenVinoDetector(read_weights(manifest, "onnx"), precision=precision, decode=decoded)


def decoded(raw: Raw, fit: Fit, width: int, height: int) -> Detections:
    """Decode one picture's raw output as the service does (`boxes.detections_from`), from `LEAST` on."""
    lifted = np.array(raw)
    scores = lifted[:, 4:5] if raw.shape[1] == 6 else lifted[4:]
    np.power(np.clip(scores, 0, 1), _POWER, out=scores)
    found = detections_from(lifted, fit, width, height)
    confidence = np.power(found.confidence, 1 / _POWER, dtype=np.float32)
    return replace(found, confidence=confidence)


class FaintPt:
    """`ports.Detector` on the ``.pt`` with the service's own letterboxing, on the CPU, reporting from `LEAST` on.

    Raises:
        WeightsError: the manifest names no ``.pt``, or it can't be read.
        ModuleNotFoundError: the extra ``train`` is not installed.
    """

    def __init__(self, manifest: Path) -> None:
        go_offline()
        from ultralytics import YOLO

        weights = read_weights(manifest, "pt")
        try:
            self._yolo = YOLO(str(weights.path), task="detect")
        except Exception as error:
            raise WeightsError(f"{weights.path}: ultralytics can't read these weights") from error
        check_classes(weights.path, self._yolo.names)
        self._model = weights.model
        self._shapes = weights.manifest.input_shapes

    @property
    def model(self) -> Model:
        """The weights that run."""
        return self._model

    def submit(self, image: Image) -> Future[Detections]:
        """Detect at once; the answer is there when this returns."""
        done: Future[Detections] = Future()
        done.set_result(self.detect(image))
        return done

    def detect(self, image: Image) -> Detections:
        """Detect on `image` ((h, w, 3) uint8 BGR)."""
        height, width = image.shape[:2]
        shape = best_shape(width, height, self._shapes)
        placed, fit = letterbox(image, shape)
        (result,) = self._yolo.predict(
            placed, conf=LEAST, iou=NMS_IOU, max_det=MOST, imgsz=list(shape), device="cpu", verbose=False
        )
        boxes = fit.back(result.boxes.xyxy.numpy(), width, height)
        solid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        confidence = np.clip(result.boxes.conf.numpy()[solid], 0, 1)
        class_id = result.boxes.cls.numpy()[solid].astype(np.int64)
        return Detections(boxes[solid], confidence, class_id, width, height, fit.scale)

    def close(self) -> None:
        """Do nothing: nothing runs between two pictures."""
