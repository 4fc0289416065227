"""Is it still seeing? What a detector sees on its weights' golden picture, against what it is known to see there.

Files are known by their sha256; this is about everything behind them: the engine, its arithmetic, the order of colours
and classes, memory that went bad. The limits let float32 and bfloat16 pass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from service.detectors.manifest import Golden, GoldenBox, WeightsError
from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from service.safety.overlap import iou

CELL: Final = 8
"""Pixels of the picture that is looked at for one of the file."""
LEAST_IOU: Final = 0.9
MOST_CONFIDENCE: Final = 0.08
"""Largest difference of a box's confidence from what it should be. bfloat16 takes 0.011, red and blue exchanged all."""
EXTRA: Final = 0.5
"""Confidence from which a box that should not be there is a fault."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How what was seen compares with what should be.

    Attributes:
        expected: boxes that should be seen.
        faults: what is wrong, a few words each; empty when nothing is.
        least_iou: smallest overlap of a box with where it should be.
        most_confidence: largest difference of a confidence from what it should be.
    """

    expected: int
    faults: tuple[str, ...]
    least_iou: float
    most_confidence: float


def enlarged(small: Image) -> Image:
    """Return the picture that is looked at for the small one of the file."""
    size = small.shape[1] * CELL, small.shape[0] * CELL
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def golden_picture(golden: Golden, manifest: Path) -> Image:
    """Read the golden picture that lies beside a manifest.

    Raises:
        WeightsError: it is not there, or another one.
    """
    file = manifest.parent / golden.picture
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{file}: the golden picture that {manifest.name} names is not there ({error.strerror})"
        ) from error
    if hashlib.sha256(content).hexdigest() != golden.sha256:
        raise WeightsError(f"{file}: it is not the golden picture that {manifest.name} names; fetch the weights again")
    return enlarged(np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8))


def likeness(expected: tuple[GoldenBox, ...], seen: Detections) -> Likeness:
    """Compare what was seen on the golden picture with what should be."""
    faults: list[str] = []
    overlaps: list[float] = []
    differences: list[float] = []
    for index, name in enumerate(CLASSES):
        wanted = [box for box in expected if box.name == name]
        found = seen.where(seen.of(index))
        overlap = iou(np.array([box.box for box in wanted], np.float32).reshape(-1, 4), found.boxes)
        rows, columns = linear_sum_assignment(-overlap)
        partners = {
            int(row): int(column) for row, column in zip(rows, columns, strict=True) if overlap[row, column] > 0
        }
        for row, box in enumerate(wanted):
            if row not in partners:
                faults.append(f"{name} is not seen")
                continue
            place, sure = float(overlap[row, partners[row]]), float(found.confidence[partners[row]])
            overlaps.append(place)
            differences.append(abs(sure - box.confidence))
            if place < LEAST_IOU:
                faults.append(f"{name} is seen elsewhere (IoU {place:.2f})")
            elif differences[-1] > MOST_CONFIDENCE:
                faults.append(f"{name} is seen with confidence {sure:.2f} instead of {box.confidence:.2f}")
        spare = np.delete(found.confidence, list(partners.values()))
        faults += [f"{name} is seen where there is none"] * int((spare >= EXTRA).sum())
    least, most = min(overlaps, default=0.0), max(differences, default=0.0)
    return Likeness(len(expected), tuple(faults), least, most)
