"""Add person boxes to pictures whose publisher labelled none, from a COCO model, so that training does not teach that
people are background. What was added is marked in the provenance of the prepared set, never passed off as a label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from service.lab.dataset.faults import DatasetError
from service.lab.dataset.records import LabelledBox, clipped
from service.lab.train import go_offline

SeePeople = Callable[[Path], tuple[LabelledBox, ...]]
"""Picture -> the people seen on it."""


def open_people(weights: Path, confidence: float = 0.3) -> SeePeople:
    """Open a COCO-trained ``.pt`` that sees people.

    Raises:
        DatasetError: the weights are missing, can't be read, or know no class called person.
    """
    if not weights.is_file():
        raise DatasetError(weights, "no such weights (a COCO model such as yolo11n.pt is needed to add person boxes)")
    go_offline()
    from ultralytics import YOLO  # heavy and optional: only needed here

    try:
        model = YOLO(str(weights), task="detect")
    except Exception as error:
        raise DatasetError(weights, "ultralytics can't read these weights") from error
    person = [index for index, name in model.names.items() if name == "person"]
    if not person:
        raise DatasetError(weights, "knows no class called person")

    def see(picture: Path) -> tuple[LabelledBox, ...]:
        result = model.predict(str(picture), conf=confidence, classes=person, imgsz=640, verbose=False)[0]
        corners = result.boxes.xyxyn.tolist() if result.boxes is not None else []
        return tuple(box for box in (clipped("person", *corner) for corner in corners) if box is not None)

    return see
