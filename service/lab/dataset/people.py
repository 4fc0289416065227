"""Add person boxes to pictures whose publisher labelled none, from a COCO model, so that training does not teach that
people are background. What was added is marked in the provenance of the prepared set, never passed off as a label."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import LabelledBox, clipped


def people_of(weights: Path, pictures: Iterable[Path], confidence: float = 0.3) -> Iterator[tuple[LabelledBox, ...]]:
    """Yield the person boxes that a COCO-trained ``.pt`` sees on each picture, in order.

    Raises:
        DatasetError: the weights are missing or know no class called person.
    """
    if not weights.is_file():
        raise DatasetError(weights, "no such weights (a COCO model such as yolo11n.pt is needed to add person boxes)")
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", ULTRALYTICS_SAFE_LOAD="1")
    from ultralytics import YOLO  # heavy and optional: only needed here

    model = YOLO(str(weights))
    person = [index for index, name in model.names.items() if name == "person"]
    if not person:
        raise DatasetError(weights, "knows no class called person")
    for picture in pictures:
        result = model.predict(str(picture), conf=confidence, classes=person, imgsz=640, verbose=False)[0]
        corners = result.boxes.xyxyn.tolist() if result.boxes is not None else []
        yield tuple(box for box in (clipped("person", *corner) for corner in corners) if box is not None)
