"""From a model's raw output to `Detections`. OpenCV suppresses doubles (per class) after a numpy cut."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from service.detectors.letterbox import Fit
from service.safety.detections import Detections

FLOOR: Final = 0.05
"""Detections under this confidence are not reported at all."""
NMS_IOU: Final = 0.6
MOST: Final = 300
"""At most this many detections a picture, strongest first."""

Raw = NDArray[np.float32]


def detections_from(raw: Raw, fit: Fit, width: int, height: int) -> Detections:
    """Decode one picture's raw output.

    Args:
        raw: (4 + classes, anchors): centre, size and class scores (one-to-many head), or (n, 6): corners, score and
            class (NMS-free head).
        fit: how the picture was placed in the input.
        width, height: the picture's size.
    """
    corners, confidence, class_id = _end_to_end(raw) if raw.shape[1] == 6 else _one_to_many(raw)
    boxes = fit.back(corners, width, height)
    solid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes[solid], confidence[solid], class_id[solid], width, height, fit.scale)


def _end_to_end(raw: Raw) -> tuple[Raw, Raw, NDArray[np.int64]]:
    kept = raw[raw[:, 4] >= FLOOR]
    return kept[:, :4], np.clip(kept[:, 4], 0, 1), kept[:, 5].astype(np.int64)


def _one_to_many(raw: Raw) -> tuple[Raw, Raw, NDArray[np.int64]]:
    scores = raw[4:]
    anchors = np.flatnonzero(scores.max(axis=0) >= FLOOR)
    class_id = scores[:, anchors].argmax(axis=0).astype(np.int64)
    confidence = np.clip(scores[class_id, anchors], 0, 1).astype(np.float32)
    centre, size = raw[:2, anchors].T, raw[2:4, anchors].T
    corner = centre - size / 2
    if not len(anchors):
        return np.empty((0, 4), np.float32), confidence, class_id
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            np.hstack([corner, size]).tolist(), confidence.tolist(), class_id.tolist(), FLOOR, NMS_IOU
        ),
        dtype=np.int64,
    ).reshape(-1)
    kept = kept[np.argsort(-confidence[kept], kind="stable")][:MOST]
    corners = np.hstack([corner, corner + size]).astype(np.float32)
    return corners[kept], confidence[kept], class_id[kept]
