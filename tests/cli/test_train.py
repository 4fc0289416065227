"""``ppe train``: what it refuses, and that a recipe tells what the command line does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.settings import shipped
from tests.cli.test_lab import WIDE, misuse, refusal
from tests.cli.workers import run
from tests.lab.test_recipe import OLD
from tests.lab.test_train import made_dataset


def test_train_refuses(tmp_path: Path) -> None:
    data, base, out = tmp_path / "data.yaml", tmp_path / "base.pt", tmp_path / "run"
    assert "give --data, --base and --out for a new run, or --resume RUN" in misuse(run("train", **WIDE))
    assert "give --data, --base and --out" in misuse(run("train", "--data", data, "--base", base, **WIDE))
    begin = ("train", "--data", data, "--base", base, "--out", out)
    assert "data.yaml: no such dataset (ppe dataset prepare writes one)" in refusal(run(*begin))
    data.write_text("names: [head]\n", encoding="utf-8")
    assert "base.pt: no such base weights" in refusal(run(*begin))
    base.write_bytes(b"weights")
    assert "its classes are head; ppe dataset prepare maps them" in refusal(run(*begin))
    out.mkdir()
    (out / "mine.txt").touch()
    assert "exists already; go on with it by --resume, or give a new folder" in refusal(run(*begin))
    assert "run: no training run" in refusal(run("train", "--resume", out))
    assert "--imgsz" in misuse(run(*begin, "--imgsz", "5", **WIDE))


def test_train_refuses_what_is_no_recipe(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"learning_rate": 1}', encoding="utf-8")
    begin = ("train", "--data", tmp_path / "data.yaml", "--base", tmp_path / "base.pt", "--out", tmp_path / "run")
    assert "recipe.json: unknown keys learning_rate; a recipe has base" in refusal(run(*begin, "--recipe", recipe))
    assert "no.json: can't read it" in refusal(run(*begin, "--recipe", tmp_path / "no.json"))
    both = run("train", "--resume", tmp_path, "--recipe", recipe, **WIDE)
    assert "has its own recipe: leave --recipe out" in misuse(both)


@pytest.mark.timeout(300)
def test_a_recipe_tells_what_the_command_line_does_not(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed (extra: train)")
    base = next(iter(sorted(shipped("weights").glob("*.pt"))), None)
    if base is None:
        pytest.skip("needs the project's weights, which are not there")
    recipe = tmp_path / "recipe.json"
    told = {**OLD, "epochs": 3, "imgsz": 64, "batch": 8, "lr0": 0.0007, "optimizer": "SGD", "precision": "fp32"}
    recipe.write_text(json.dumps(told), encoding="utf-8")
    data, out = made_dataset(tmp_path / "made"), tmp_path / "run"
    begin = ("train", "--data", data, "--base", base, "--out", out, "--workers", "0")
    result = run(*begin, "--recipe", recipe, "--epochs", "1", "--mosaic", "0.3", "--lrf", "0.05", **WIDE)
    assert result.exit_code == 0, result.output
    made = json.loads((out / "recipe.json").read_text(encoding="utf-8"))
    same = {name: told[name] for name in ("imgsz", "batch", "lr0", "optimizer", "precision", "seed", "rare_share")}
    assert made.items() >= {**same, "epochs": 1, "lrf": 0.05, "device": "cpu", "base": base.name}.items()
    assert made["data_fingerprint"] != told["data_fingerprint"]
