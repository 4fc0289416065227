"""``ppe dataset check``: what it takes, what it says of it, and that only faults of the dataset end with 1."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.ports import Image
from service.safety.detections import Detections
from service.safety.equipment import CLASSES
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


@pytest.fixture
def flat(folder: Path, tmp_path: Path) -> Path:
    """A COCO set of which nothing tells the split."""
    flat = tmp_path / "coco"
    (flat / "images").mkdir(parents=True)
    (flat / "annotations").mkdir()
    shutil.copyfile(pictures(folder)[0], flat / "images" / "a.jpg")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 480, "height": 480}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES)],
        "annotations": [],
    }
    (flat / "annotations" / "instances_default.json").write_text(json.dumps(document), encoding="utf-8")
    return flat


SAID = "annotations/instances_default.json names no split: it is taken as train\n"


@pytest.mark.parametrize("command", ["check", "fix", "prepare"])
def test_a_note_of_the_reader_is_said(flat: Path, tmp_path: Path, command: str) -> None:
    out = tmp_path / "out"
    arguments: dict[str, tuple[str | Path, ...]] = {
        "check": (flat, "--out", out),
        "fix": (flat, out),
        "prepare": ("--source", f"generic={flat}", "--out", out),
    }
    result = run("dataset", command, *arguments[command])
    assert f"note: {'generic: ' if command == 'prepare' else ''}{SAID}" in result.stderr, result.output
    assert SAID not in result.stdout
    for name in ("check.json", "mended.json") if command != "prepare" else ():
        if (out / name).is_file():
            assert json.loads((out / name).read_text(encoding="utf-8"))["notes"] == [SAID.strip()]


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
