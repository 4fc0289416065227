"""From trained weights to what the service runs: an ONNX graph, a check that it sees the same, and the manifest."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from service.detectors.boxes import MOST, NMS_IOU
from service.detectors.letterbox import letterbox
from service.detectors.manifest import (
    Manifest,
    WeightsError,
    WeightsFile,
    check_classes,
    read_manifest,
    read_weights,
    write_manifest,
)
from service.detectors.openvino import OpenVinoDetector, Precision
from service.lab.dataset.records import PICTURE_SUFFIXES
from service.lab.train import go_offline
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
from service.safety.overlap import iou
from service.safety.thresholds import Thresholds

INPUT_SHAPES: Final = ((640, 640), (480, 640), (384, 640), (640, 480), (640, 384))
"""(height, width): square, 4:3 and 16:9 with their portrait twins."""


class ExportError(Exception):
    """An export failed or does not see what the weights see."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an export's boxes are from the .pt's, over all pictures; the medians are NaN where nothing was paired."""

    precision: str
    pictures: int
    boxes: int
    unpaired: int
    """Boxes above 0.25 + tolerance that the other side does not have at the same place and class."""
    least_iou: float
    median_iou: float
    most_confidence_difference: float
    median_confidence_difference: float


def export(trained: Path, folder: Path, *, name: str, version: str, how_made: dict[str, Any]) -> Path:
    """Write ``<name>.pt``, ``<name>.onnx`` and ``manifest.json`` to `folder`; return the manifest's path.

    Thresholds and scores of a manifest that is there already are kept: they are chosen by evaluation, not by export.
    Nothing in `folder` changes before both files are made.

    Raises:
        WeightsError: `trained` can't be read, its classes are not the rules', or the manifest that is there is damaged.
        ExportError: `trained` is not there, or ultralytics can't export it.
    """
    if not trained.is_file():
        raise ExportError(f"{trained}: no such weights")
    pt, onnx = folder / f"{name}.pt", folder / f"{name}.onnx"
    before = read_manifest(folder / "manifest.json") if (folder / "manifest.json").is_file() else None
    with tempfile.TemporaryDirectory() as scratch:
        copied = Path(scratch) / f"{name}.pt"
        shutil.copyfile(trained, copied)
        written = _onnx(copied, trained)
        folder.mkdir(parents=True, exist_ok=True)
        _place(copied, pt)
        _place(written, onnx)
    manifest = Manifest(
        name=name,
        version=version,
        licence="AGPL-3.0",
        classes=CLASSES,
        files={
            "onnx": WeightsFile(file=f"{name}.onnx", sha256=_sha256(onnx)),
            "pt": WeightsFile(file=f"{name}.pt", sha256=_sha256(pt)),
        },
        input_shapes=INPUT_SHAPES,
        thresholds=before.thresholds if before else Thresholds(),
        scores=before.scores if before else {},
        trained_on=tuple(how_made.get("trained_on", ())),
        how_made={key: value for key, value in how_made.items() if key != "trained_on"},
    )
    write_manifest(manifest, folder / "manifest.json")
    return folder / "manifest.json"


def _onnx(weights: Path, trained: Path) -> Path:
    """Export `weights`, a copy of `trained`, to a file beside it."""
    go_offline()
    from ultralytics import YOLO

    try:
        model = YOLO(str(weights), task="detect")
    except Exception as error:
        raise WeightsError(f"{trained}: ultralytics can't read these weights") from error
    check_classes(trained, model.names)
    written = Path(model.export(format="onnx", dynamic=True, simplify=True, verbose=False) or "")
    if not written.is_file():
        raise ExportError(f"{trained}: ultralytics wrote no ONNX file")
    return written


def _place(file: Path, target: Path) -> None:
    """Copy a file to its place at once, over one that may be read-only."""
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(file, part)
    part.replace(target)


def check_parity(manifest: Path, pictures: Iterable[Path], precision: Precision = "f32") -> Parity:
    """Compare the exported graph with the ``.pt`` it came from, at 640x640, on real pictures.

    Both see the same letterboxed pixels; boxes of one class are paired by the best total IoU.

    Raises:
        WeightsError: a file that the manifest names is not there or another one.
        ExportError: there is no picture, or one can't be read.
    """
    go_offline()
    from ultralytics import YOLO

    weights = read_weights(manifest, "onnx")
    square = weights.model_copy(
        update={"manifest": weights.manifest.model_copy(update={"input_shapes": ((640, 640),)})}
    )
    exported = OpenVinoDetector(square, precision=precision)
    original = YOLO(str(read_weights(manifest, "pt").path))
    rows: list[tuple[float, float]] = []
    count = boxes = unpaired = 0
    tolerance = 0.01 if precision == "f32" else 0.07
    for path in pictures:
        image = cv2.imread(str(path))
        if image is None:
            raise ExportError(f"{path}: can't be read as a picture")
        placed, _ = letterbox(np.asarray(image, dtype=np.uint8), (640, 640))
        ours = exported.detect(placed)
        result = original.predict(placed, conf=0.05, iou=NMS_IOU, max_det=MOST, imgsz=640, device="cpu", verbose=False)[
            0
        ]
        theirs = Detections(
            result.boxes.xyxy.numpy(), result.boxes.conf.numpy(), result.boxes.cls.numpy().astype(np.int64), 640, 640
        )
        pairs, alone = _pair(ours, theirs, 0.25, tolerance)
        rows += pairs
        unpaired += alone
        boxes += int((theirs.confidence >= 0.25).sum())
        count += 1
    exported.close()
    if not count:
        raise ExportError("there are no pictures to compare the export on")
    overlaps, differences = np.array(rows).reshape(-1, 2).T
    return Parity(
        precision,
        count,
        boxes,
        unpaired,
        float(overlaps.min(initial=1.0)),
        float(np.median(overlaps)) if len(rows) else float("nan"),
        float(differences.max(initial=0.0)),
        float(np.median(differences)) if len(rows) else float("nan"),
    )


def _pair(
    ours: Detections, theirs: Detections, floor: float, tolerance: float
) -> tuple[list[tuple[float, float]], int]:
    """Pair boxes of one class; return (IoU, confidence difference) a pair, and how many sure boxes found no partner."""
    pairs: list[tuple[float, float]] = []
    alone = 0
    for class_id in range(len(CLASSES)):
        a, b = ours.where(ours.of(class_id)), theirs.where(theirs.of(class_id))
        overlap = iou(a.boxes, b.boxes)
        rows, columns = linear_sum_assignment(-overlap)
        good = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if overlap[r, c] >= 0.5]
        for row, column in good:
            if max(a.confidence[row], b.confidence[column]) >= floor:
                pairs.append((float(overlap[row, column]), abs(float(a.confidence[row] - b.confidence[column]))))
        for side, taken in ((a, {row for row, _ in good}), (b, {column for _, column in good})):
            alone += sum(
                bool(side.confidence[index] >= floor + tolerance) for index in range(len(side)) if index not in taken
            )
    return pairs, alone


def sample(folders: Iterable[Path], count: int) -> Iterator[Path]:
    """Yield `count` pictures spread evenly over the sorted pictures of some folders."""
    pictures = sorted(
        path for folder in folders for path in folder.glob("*") if path.suffix.lower() in PICTURE_SUFFIXES
    )
    chosen: NDArray[np.int64] = np.unique(np.linspace(0, len(pictures) - 1, min(count, len(pictures))).astype(np.int64))
    yield from (pictures[index] for index in chosen)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
