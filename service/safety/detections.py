"""What a detector saw on one picture: parallel arrays, validated once, read-only from then on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.safety.equipment import CLASSES

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes on one picture.

    Attributes:
        boxes: (n, 4) float32, x1 y1 x2 y2 in pixels of the upright picture.
        confidence: (n,) float32, 0..1.
        class_id: (n,) int64, an index into `equipment.CLASSES`.
        width, height: the upright picture's size in pixels.
        scale: pixels as the model saw them for one pixel of the picture (letterboxing makes it smaller or larger).
        seen_scale: (n,) float32, the scale at which each box was seen best; `scale` unless somebody looked closer.

    Raises:
        ValueError: shapes differ, a value is not finite or out of range, or a box has no area.
    """

    boxes: Floats
    confidence: Floats
    class_id: Ints
    width: int
    height: int
    scale: float = 1.0
    seen_scale: Floats = field(default_factory=lambda: np.empty(0, dtype=np.float32))

    def __post_init__(self) -> None:
        boxes = np.array(self.boxes, dtype=np.float32).reshape(-1, 4)
        confidence = np.array(self.confidence, dtype=np.float32).reshape(-1)
        class_id = np.array(self.class_id, dtype=np.int64).reshape(-1)
        seen_scale = np.array(self.seen_scale, dtype=np.float32).reshape(-1)
        if not len(seen_scale):
            seen_scale = np.full(len(boxes), self.scale, dtype=np.float32)
        if not len(boxes) == len(confidence) == len(class_id) == len(seen_scale):
            counts = f"{len(boxes)} boxes, {len(confidence)} confidences, {len(class_id)} classes"
            raise ValueError(f"{counts}, {len(seen_scale)} scales")
        if self.width <= 0 or self.height <= 0 or not self.scale > 0:
            raise ValueError(f"a picture of {self.width}x{self.height} at scale {self.scale} can't hold detections")
        if not (np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()):
            raise ValueError("every box needs finite corners with x2 > x1 and y2 > y1")
        if not ((confidence >= 0) & (confidence <= 1)).all():
            raise ValueError("confidences must lie in 0..1")
        if not ((class_id >= 0) & (class_id < len(CLASSES))).all():
            raise ValueError(f"class ids must lie in 0..{len(CLASSES) - 1}")
        if not (np.isfinite(seen_scale) & (seen_scale > 0)).all():
            raise ValueError("scales must be greater than 0")
        arrays: dict[str, NDArray[Any]] = {
            "boxes": boxes,
            "confidence": confidence,
            "class_id": class_id,
            "seen_scale": seen_scale,
        }
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.confidence)

    def where(self, mask: Mask) -> Detections:
        """Return the detections that `mask` ((n,) bool) selects."""
        kept = self.boxes[mask], self.confidence[mask], self.class_id[mask]
        return Detections(*kept, self.width, self.height, self.scale, self.seen_scale[mask])

    def moved_into(self, whole: Detections, x: int, y: int) -> Detections:
        """Return what was seen on a part of a picture whose upper left corner is (x, y), in pixels of the whole."""
        boxes = self.boxes + np.array([x, y, x, y], dtype=np.float32)
        kept = self.confidence, self.class_id
        return Detections(boxes, *kept, whole.width, whole.height, whole.scale, self.seen_scale)

    def of(self, *class_ids: int) -> Mask:
        """Return the (n,) bool mask of the detections whose class is one of `class_ids`."""
        return np.isin(self.class_id, class_ids)


def together(whole: Detections, *others: Detections) -> Detections:
    """Return the detections of one picture in one."""
    everything = (whole, *others)
    return Detections(
        np.concatenate([one.boxes for one in everything]),
        np.concatenate([one.confidence for one in everything]),
        np.concatenate([one.class_id for one in everything]),
        whole.width,
        whole.height,
        whole.scale,
        np.concatenate([one.seen_scale for one in everything]),
    )


def empty(width: int, height: int, scale: float = 1.0) -> Detections:
    """Return no detections on a picture of this size."""
    none = np.empty(0, dtype=np.float32)
    return Detections(none.reshape(0, 4), none, np.empty(0, dtype=np.int64), width, height, scale)
