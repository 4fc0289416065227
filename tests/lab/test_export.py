"""From trained weights to what the service runs: the graph sees the same, and what can't serve is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from service.detectors.manifest import (
    Manifest,
    WeightsError,
    WeightsFile,
    read_manifest,
    read_weights,
    write_manifest,
)
from service.detectors.openvino import OpenVinoDetector
from service.lab.export import INPUT_SHAPES, ExportError, check_parity, export, sample
from service.safety.equipment import CLASSES
from service.safety.thresholds import Thresholds

PHOTO = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
CHOSEN = Thresholds(minimum_height={"helmet": 77.0, "vest": 88.0})
HOW = {"base": "yolo11n.pt", "epochs": 15, "trained_on": ["made"]}


def evaluated(folder: Path) -> Path:
    """Write the manifest of weights that were evaluated before."""
    before = Manifest(
        name="old",
        version="1",
        licence="AGPL-3.0",
        classes=CLASSES,
        files={"pt": WeightsFile(file="old.pt", sha256="0" * 64)},
        input_shapes=((640, 640),),
        thresholds=CHOSEN,
        scores={"recall": 0.7},
        trained_on=(),
        how_made={},
    )
    write_manifest(before, folder / "manifest.json")
    return folder / "manifest.json"


@pytest.fixture(scope="module")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    evaluated(folder)
    return export(trained, folder, name="ppe-made", version="2", how_made=HOW)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A photograph of one person: whole, its upper half in a wide picture, and small."""
    folder = tmp_path_factory.mktemp("pictures")
    photo = np.asarray(cv2.imread(str(PHOTO)), np.uint8)
    made = {
        "whole.png": photo,
        "wide.png": cv2.copyMakeBorder(photo[: len(photo) // 2], 0, 0, 300, 60, cv2.BORDER_REFLECT),
        "small.png": cv2.resize(photo, (180, 210), interpolation=cv2.INTER_AREA),
    }
    for name, image in made.items():
        cv2.imwrite(str(folder / name), image)
    return sorted(folder.iterdir())


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_manifest_names_what_was_written(exported: Path, trained: Path) -> None:
    manifest = read_manifest(exported)
    assert (manifest.name, manifest.version, manifest.classes) == ("ppe-made", "2", CLASSES)
    assert manifest.input_shapes == INPUT_SHAPES
    assert read_weights(exported, "pt").path.read_bytes() == trained.read_bytes()
    assert read_weights(exported, "onnx").path == exported.with_name("ppe-made.onnx")
    assert (manifest.trained_on, manifest.how_made) == (("made",), {"base": "yolo11n.pt", "epochs": 15})
    assert set(contents(exported.parent)) == {"manifest.json", "ppe-made.pt", "ppe-made.onnx"}


def test_what_an_evaluation_chose_is_kept(exported: Path) -> None:
    manifest = read_manifest(exported)
    assert (manifest.thresholds, manifest.scores) == (CHOSEN, {"recall": 0.7})


def graph_of(path: Path) -> Any:
    return pytest.importorskip("onnx", reason="onnx is not installed (extra: train)").load(str(path))


def test_the_graph_takes_any_size_and_leaves_suppression_out(exported: Path) -> None:
    graph = graph_of(exported.with_name("ppe-made.onnx")).graph
    (taken,), (given,) = graph.input, graph.output
    assert [bool(side.dim_param) for side in taken.type.tensor_type.shape.dim] == [True, False, True, True]
    assert given.type.tensor_type.shape.dim[1].dim_value == 4 + len(CLASSES)
    assert "NonMaxSuppression" not in {node.op_type for node in graph.node}


def test_the_service_runs_it_at_every_shape(exported: Path) -> None:
    detector = OpenVinoDetector(read_weights(exported, "onnx"), precision="f32")
    photo = np.asarray(cv2.imread(str(PHOTO)), np.uint8)
    assert detector.model.version == "2"
    sized = [np.asarray(cv2.resize(photo, size), np.uint8) for size in ((640, 640), (640, 360), (480, 640))]
    assert all(len(detector.detect(image)) for image in sized)
    detector.close()


def test_it_sees_what_the_weights_see(exported: Path, pictures: list[Path]) -> None:
    parity = check_parity(exported, pictures, "f32")
    assert (parity.precision, parity.pictures) == ("f32", 3)
    assert parity.boxes >= 3
    assert parity.unpaired == 0
    assert 0.99 <= parity.least_iou <= parity.median_iou <= 1
    assert 0 <= parity.median_confidence_difference <= parity.most_confidence_difference <= 0.01


def test_a_graph_that_sees_otherwise_is_found_out(exported: Path, pictures: list[Path], tmp_path: Path) -> None:
    model = graph_of(exported.with_name("ppe-made.onnx"))
    onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    for weight in model.graph.initializer:
        if weight.name.endswith("bias") and list(weight.dims) == [len(CLASSES)]:
            surer = onnx.numpy_helper.to_array(weight) + np.float32(0.5)
            weight.CopyFrom(onnx.numpy_helper.from_array(surer, weight.name))
    onnx.save(model, str(tmp_path / "ppe-made.onnx"))
    (tmp_path / "ppe-made.pt").write_bytes(exported.with_name("ppe-made.pt").read_bytes())
    digest = hashlib.sha256((tmp_path / "ppe-made.onnx").read_bytes()).hexdigest()
    manifest = read_manifest(exported)
    files = {**manifest.files, "onnx": WeightsFile(file="ppe-made.onnx", sha256=digest)}
    write_manifest(manifest.model_copy(update={"files": files}), tmp_path / "manifest.json")
    assert check_parity(tmp_path / "manifest.json", pictures, "f32").most_confidence_difference > 0.01


def test_a_fixed_size_is_refused_in_one_sentence(exported: Path, tmp_path: Path) -> None:
    model = graph_of(exported.with_name("ppe-made.onnx"))
    for side, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, 640, 640), strict=True):
        side.Clear()
        side.dim_value = size
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)").save(model, str(tmp_path / "fixed.onnx"))
    weights = read_weights(exported, "onnx").model_copy(update={"path": tmp_path / "fixed.onnx"})
    with pytest.raises(WeightsError, match=r"fixed\.onnx: its input size is fixed; export it with dynamic axes"):
        OpenVinoDetector(weights)


def renamed(trained: Path, target: Path, names: dict[int, str]) -> Path:
    """Copy weights under other class names."""
    import torch

    checkpoint = torch.load(trained, map_location="cpu", weights_only=False)
    checkpoint["model"].names = names
    torch.save(checkpoint, target)
    return target


@pytest.mark.parametrize(
    "names",
    [
        dict(enumerate(["helmet", "no-helmet", "vest", "no-vest", "Person"])),
        dict(enumerate(["no-helmet", "helmet", "vest", "no-vest", "person"])),
        dict(enumerate(["person", "bicycle", "car", "motorcycle", "airplane"])),
    ],
    ids=["spelled otherwise", "another order", "COCO"],
)
def test_classes_that_cannot_serve_are_refused_and_nothing_changes(
    trained: Path, tmp_path: Path, names: dict[int, str]
) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    evaluated(folder)
    (folder / "ppe.pt").write_bytes(b"the good ones")
    before = contents(folder)
    with pytest.raises(WeightsError, match=r"other\.pt: its classes are .*; the rules need helmet, no-helmet, vest"):
        export(renamed(trained, tmp_path / "other.pt", names), folder, name="ppe", version="2", how_made={})
    assert contents(folder) == before


def test_what_is_no_weights_is_refused(ultralytics: None, tmp_path: Path) -> None:
    (tmp_path / "note.pt").write_text("not weights", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"note\.pt: ultralytics can't read these weights"):
        export(tmp_path / "note.pt", tmp_path / "weights", name="ppe", version="2", how_made={})
    assert not (tmp_path / "weights").exists()


def test_weights_that_are_not_there_are_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"yolo11n\.pt: no such weights"):
        export(tmp_path / "yolo11n.pt", tmp_path / "weights", name="ppe", version="2", how_made={})


def test_a_damaged_manifest_stops_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    (tmp_path / "best.pt").write_bytes(b"weights")
    with pytest.raises(WeightsError, match="not a weights manifest"):
        export(tmp_path / "best.pt", tmp_path, name="ppe", version="2", how_made={})
    assert set(contents(tmp_path)) == {"manifest.json", "best.pt"}


def test_parity_needs_pictures(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no pictures"):
        check_parity(exported, sample([tmp_path], 5))
    (tmp_path / "a.jpg").write_text("not a picture", encoding="utf-8")
    with pytest.raises(ExportError, match=r"a\.jpg: can't be read as a picture"):
        check_parity(exported, sample([tmp_path], 5))


def test_a_sample_is_spread_over_all_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for index in range(10):
            (tmp_path / folder / f"{index}.{'jpg' if index % 2 else 'PNG'}").touch()
        (tmp_path / folder / "labels.txt").touch()
    folders = [tmp_path / "a", tmp_path / "b"]
    chosen = [f"{path.parent.name}/{path.name}" for path in sample(folders, 3)]
    assert chosen == ["a/0.PNG", "a/9.jpg", "b/9.jpg"]
    assert len(list(sample(folders, 100))) == 20
    assert list(sample([], 5)) == []
