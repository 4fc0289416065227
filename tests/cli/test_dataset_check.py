"""``ppe dataset check``: what it takes, and that only faults of the dataset end with 1."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.ports import Image
from service.safety.detections import Detections
from tests.cli.workers import run
from tests.lab import sites
from tests.lab.sites import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sites.write_set(tmp_path / "set", train=4, valid=2)


@pytest.mark.parametrize("name", ["data.yaml", "fold1.yaml"])
def test_a_yaml_file_is_taken_too(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "data.yaml").rename(folder / name)
    result = run("dataset", "check", folder / name, "--out", tmp_path / "out")
    assert "6 pictures in" in result.stderr, result.output
    assert json.loads((tmp_path / "out" / "check.json").read_text(encoding="utf-8"))["dataset"] == "set"


def test_a_note_of_the_reader_is_said(folder: Path, tmp_path: Path) -> None:
    flat = tmp_path / "coco"
    (flat / "images").mkdir(parents=True)
    (flat / "annotations").mkdir()
    shutil.copyfile(pictures(folder)[0], flat / "images" / "a.jpg")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 480, "height": 480}],
        "categories": [],
        "annotations": [],
    }
    (flat / "annotations" / "instances_default.json").write_text(json.dumps(document), encoding="utf-8")
    result = run("dataset", "check", flat, "--out", tmp_path / "out")
    assert "note: annotations/instances_default.json names no split: it is taken as train" in result.stderr


def broken(image: Image) -> Detections:
    raise RuntimeError(f"no luck with {image.shape}")


def test_what_nobody_expected_does_not_end_as_faults_of_the_dataset_do(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "manifest.json"
    result = run("dataset", "check", folder, "--out", tmp_path / "out", "--weights", weights, see=broken)
    assert result.exit_code == 2, result.output
    assert "RuntimeError: no luck with (480, 480, 3)" in result.stderr
    assert "ppe: the check itself failed" in result.stderr


def test_a_report_that_cannot_be_written_does_not_either(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    result = run("dataset", "check", folder, "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert "ppe: " in result.stderr
