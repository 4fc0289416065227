from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.detectors.manifest import WeightsError, read_manifest, read_weights
from service.detectors.opening import open_detector
from service.detectors.openvino import OpenVinoDetector
from service.settings import Settings, shipped


def written(folder: Path, **change: Any) -> Path:
    """A copy of the shipped manifest with changes; its files are not copied."""
    fields = json.loads((shipped("weights") / "manifest.json").read_text())
    path = folder / "manifest.json"
    path.write_text(json.dumps({**fields, **change}))
    return path


def test_the_shipped_weights_are_what_their_manifest_says() -> None:
    for kind in ("onnx", "pt"):
        weights = read_weights(shipped("weights") / "manifest.json", kind)  # type: ignore[arg-type]
        assert weights.sha256 == weights.manifest.files[kind].sha256  # type: ignore[index]
        assert weights.path.stat().st_size < 25 * 2**20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classes": ["no-helmet", "vest", "no-vest", "person"]}, "lack helmet"),
        ({"classes": ["person", "helmet", "no-helmet", "vest", "no-vest"]}, "stand in another order"),
        ({"files": 3}, "not a weights manifest: files"),
        ({"unheard_of": 1}, "not a weights manifest: unheard_of"),
    ],
)
def test_a_bad_manifest_is_refused_in_one_sentence(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        read_manifest(written(tmp_path, **change))
    assert "\n" not in str(caught.value)


def test_a_missing_manifest_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="PPE_WEIGHTS"):
        read_manifest(tmp_path / "manifest.json")


def test_missing_weights_are_not_fetched_but_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"onnx.* are not there"):
        open_detector(Settings(weights=written(tmp_path)))


def test_other_weights_than_the_manifest_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / read_manifest(path).files["onnx"].file).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="sha256 is"):
        open_detector(Settings(weights=path))


def test_a_file_kind_that_the_manifest_lacks(tmp_path: Path) -> None:
    fields = json.loads((shipped("weights") / "manifest.json").read_text())
    path = written(tmp_path, files={"pt": fields["files"]["pt"]})
    with pytest.raises(WeightsError, match="names no onnx file"):
        read_weights(path, "onnx")


def test_a_graph_that_is_none_is_refused(tmp_path: Path) -> None:
    weights = read_weights(shipped("weights") / "manifest.json", "onnx")
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"not a graph")
    with pytest.raises(WeightsError, match="can't read this graph"):
        OpenVinoDetector(weights.model_copy(update={"path": rubbish}))
