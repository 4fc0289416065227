"""``ppe dataset prepare`` where labels lack: a class that nobody labelled must not be taught away."""

from __future__ import annotations

import json
from pathlib import Path

from service.ports import Image
from service.safety.detections import Detections
from tests.cli.test_lab import CARD, WIDE, export, manifest, refusal
from tests.cli.workers import run
from tests.safety.scenes import head_of, person_at, scene, torso_of


def plain_shirt(image: Image) -> Detections:
    worker = person_at(100, 20, 60, 180)
    return scene(worker, head_of(worker), torso_of(worker, "no-vest"), width=320, height=240)


def test_prepare_refuses_labels_that_would_teach_that_there_is_none(tmp_path: Path) -> None:
    folder = export(tmp_path / "export")
    described = (folder / "data.yaml").read_text(encoding="utf-8").partition("names:")[0]
    names = "names: [helmet, vest, Person, none, no_helmet, gloves]\n"
    (folder / "data.yaml").write_text(described + names, encoding="utf-8")
    command = ("dataset", "prepare", "--source", f"construction-ppe={folder}", "--out", tmp_path / "out")
    said = refusal(run(*command))
    assert "construction-ppe has no label for no-vest" in said
    assert "--labels-from" in said
    assert not (tmp_path / "out").exists()
    result = run(*command, "--labels-from", manifest(tmp_path), see=plain_shirt, **WIDE)
    assert result.exit_code == 0, result.output
    assert "added 1 boxes construction-ppe/train/no-vest that no label stands for" in result.stdout
    row = json.loads((tmp_path / "out" / "provenance.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["labels_from"] == {"file": "manifest.json", "sha256": "0" * 64}  # the stand-in is in no manifest


def test_prepare_says_where_nothing_was_added_for_a_class_without_labels(tmp_path: Path) -> None:
    card = tmp_path / "made.toml"
    card.write_text(CARD.replace('"plain shirt" = "no-vest"\n', ""), encoding="utf-8")
    command = ("dataset", "prepare", "--source", f"{card}={export(tmp_path / 'export')}", "--out", tmp_path / "out")
    result = run(*command, "--labels-from", manifest(tmp_path), see=lambda image: scene(width=320, height=240), **WIDE)
    assert result.exit_code == 0, result.output
    assert "made has no label for no-vest, and none was added" in result.stdout
