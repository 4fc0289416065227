"""A class's hardest failures as pictures: the surest boxes that hit nothing, and the largest labels that nothing hits.

What is seen, as faintly as the service reports it, is drawn vermilion, what is labelled blue; of the class in question
only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from service.detectors.boxes import FLOOR
from service.lab.boxes import hits
from service.lab.looking import Seen
from service.pictures.decode import PictureLimits, read_picture
from service.ports import Image
from service.safety.equipment import CLASS_ID, ClassName
from service.safety.thresholds import Thresholds

MOST: Final = 12
_SEEN, _LABEL = (0, 94, 213), (178, 114, 0)
_SIDE: Final = 300


def false_alarms(
    seen: list[Seen], name: ClassName, thresholds: Thresholds, most: int = MOST
) -> Iterator[tuple[Image, str]]:
    """Yield crops around the surest boxes of a class that count and hit no label (one convention), surest first."""
    found = hits([one.pair("one convention") for one in seen], CLASS_ID[name])
    wrong = np.flatnonzero(~found.hit & (found.confidence >= thresholds.confidence[name]))[:most]
    for index in wrong:
        one = seen[found.picture[index]]
        box = one.detections.boxes[found.box[index]]
        yield _crop(one, name, box), f"{found.confidence[index]:.2f} in {_short(one)}"


def misses(seen: list[Seen], name: ClassName, thresholds: Thresholds, most: int = MOST) -> Iterator[tuple[Image, str]]:
    """Yield crops around the largest labels of a class that no box at the threshold hits, largest first."""
    found = hits([one.pair("one convention") for one in seen], CLASS_ID[name])
    missed = []
    for one, best in zip(seen, found.best, strict=True):
        labels = one.labels["one convention"]
        boxes = labels.boxes[labels.of(CLASS_ID[name])]
        for box, confidence in zip(boxes, best, strict=True):
            if confidence < thresholds.confidence[name]:
                height = float(box[3] - box[1]) * one.detections.scale
                missed.append((height, confidence, one, box))
    missed.sort(key=lambda row: -row[0])
    for height, confidence, one, box in missed[:most]:
        what = f"seen at {confidence:.2f}" if confidence else "not seen"
        yield _crop(one, name, box), f"{height:.0f} px, {what}, in {_short(one)}"


def _short(one: Seen) -> str:
    return one.truth.picture.split(".rf.")[0]


def _crop(one: Seen, name: ClassName, around: np.ndarray) -> Image:
    """Return the surroundings of a box with all boxes of the class drawn in."""
    if one.path is None:
        raise ValueError(f"{one.truth.picture}: its file is not known")
    image = read_picture(one.path.read_bytes(), PictureLimits())
    height, width = image.shape[:2]
    middle, reach = (around[:2] + around[2:]) / 2, max(48.0, 1.1 * float((around[2:] - around[:2]).max()))
    low = np.maximum(np.floor(middle - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle + reach), [width, height]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    zoom = _SIDE / max(part.shape[:2])
    drawn = np.asarray(cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    labels = one.labels["one convention"]
    strong = one.detections.where(one.detections.confidence >= FLOOR)
    for boxes, colour, thick in ((labels, _LABEL, 2), (strong, _SEEN, 1)):
        for box in boxes.boxes[boxes.of(CLASS_ID[name])]:
            x1, y1, x2, y2 = ((box.reshape(2, 2) - low) * zoom).round().astype(int).ravel()
            cv2.rectangle(drawn, (int(x1), int(y1)), (int(x2), int(y2)), colour, thick)
    return drawn
