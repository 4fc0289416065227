"""What weights were trained on is told by the dataset and by the weights they began with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from service.detectors.manifest import Manifest, WeightsFile, write_manifest
from service.lab.origins import UNKNOWN, origins
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds


def dataset(folder: Path, *rows: dict[str, Any]) -> Path:
    (folder / "provenance.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "data.yaml"


def row(source: str, split: str = "train", people: str = "labelled") -> dict[str, Any]:
    return {"source": source, "version": "3", "split": split, "people": people}


def base(folder: Path, content: bytes, described: bytes) -> Path:
    """Write a .pt and, beside it, a manifest of the weights `described`, which saw the sets old and made."""
    weights = folder / "base.pt"
    weights.write_bytes(content)
    manifest = Manifest(
        name="base",
        version="1",
        licence="AGPL-3.0",
        classes=CLASSES,
        files={"pt": WeightsFile(file="base.pt", sha256=hashlib.sha256(described).hexdigest())},
        input_shapes=((640, 640),),
        thresholds=Thresholds(),
        scores={},
        trained_on=("old v1 train (9)", "made v2 train (5)"),
        how_made={},
    )
    write_manifest(manifest, folder / "manifest.json")
    return weights


def test_pictures_to_train_on_are_counted_per_source_and_by_who_labelled_people(tmp_path: Path) -> None:
    rows = [row("made"), row("made"), row("made", "valid"), row("half", people="added by coco.pt")]
    assert origins(dataset(tmp_path, *rows), tmp_path / "coco.pt") == (
        "half v3 train (1, person boxes added by coco.pt)",
        "made v3 train (2)",
    )


def test_whose_labels_were_learnt_from_is_told(tmp_path: Path) -> None:
    by = {"labels_from": {"file": "ours.onnx", "sha256": "ab" * 32}}
    rows = [{**row("made"), **by, "labels_added": 1200}, {**row("made"), **by, "labels_added": 34}]
    rows += [{**row("made", "valid"), "labels_from": None, "labels_added": 0}, {**row("half"), "labels_added": 7}]
    assert origins(dataset(tmp_path, *rows), tmp_path / "coco.pt") == (
        "half v3 train (1, 7 boxes added by weights that were not kept)",
        f"made v3 train (2, 1,234 boxes added by ours.onnx, sha256 {'ab' * 32})",
    )


def test_what_the_base_saw_is_told_too(tmp_path: Path) -> None:
    data = dataset(tmp_path, row("made"))
    assert origins(data, base(tmp_path, b"weights", b"weights")) == (
        "made v3 train (1)",
        "old v1 train (9), by its base",
    )
    assert origins(data, base(tmp_path, b"weights", b"others")) == ("made v3 train (1)",)


def test_a_dataset_made_by_hand_is_not_taken_for_an_unseen_source(tmp_path: Path) -> None:
    assert origins(tmp_path / "data.yaml", tmp_path / "coco.pt") == (UNKNOWN,)
