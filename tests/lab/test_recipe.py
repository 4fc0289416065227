"""A recipe says everything a run was told, and its fingerprint covers everything the run learnt from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from service.lab.recipe import Recipe, TrainingError, fingerprint, knobs, read_recipe
from tests.lab.test_train import made_dataset

OLD: dict[str, Any] = {
    "base": "yolo11n.pt", "base_sha256": "0" * 64, "data": "data.yaml", "data_fingerprint": "1" * 64, "epochs": 5,
    "imgsz": 640, "batch": 16, "lr0": 0.0008, "lrf": 0.02, "optimizer": "AdamW", "mosaic": 0.3, "close_mosaic": 1,
    "warmup_epochs": 0.3, "seed": 23, "precision": "bf16", "rare_share": 0.5, "trained_on": ["made v1 train (8)"],
}  # fmt: skip
"""What a run of an earlier version kept."""


def written(folder: Path, **changed: object) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps({**OLD, **changed}), encoding="utf-8")
    return path


def test_a_fingerprint_is_of_labels_classes_and_pixels(tmp_path: Path) -> None:
    one, other = made_dataset(tmp_path / "one"), made_dataset(tmp_path / "other")
    assert fingerprint(one) == fingerprint(other)
    picture = other.parent / "valid" / "images" / "made__3.jpg"
    before = picture.read_bytes()
    cv2.imwrite(str(picture), np.zeros((96, 96, 3), np.uint8))
    assert fingerprint(one) != fingerprint(other)
    picture.write_bytes(before)
    assert fingerprint(one) == fingerprint(other)
    other.write_text(other.read_text(encoding="utf-8").replace("0: helmet", "0: vest"), encoding="utf-8")
    assert fingerprint(one) != fingerprint(other)


def test_a_fingerprint_knows_a_picture_more_and_nothing_that_training_leaves(tmp_path: Path) -> None:
    data = made_dataset(tmp_path / "made")
    before = fingerprint(data)
    (data.parent / "train" / "labels.cache").write_bytes(b"written by ultralytics")
    (data.parent / "train" / "images" / "made__0.npy").write_bytes(b"so is this")
    assert fingerprint(data) == before
    background = data.parent / "train" / "images" / "made__9.jpg"  # a picture of nobody has no label file
    background.write_bytes((data.parent / "train" / "images" / "made__0.jpg").read_bytes())
    assert fingerprint(data) != before


def test_runs_of_before_are_checked_as_they_were_kept(tmp_path: Path) -> None:
    data = made_dataset(tmp_path / "made")
    assert read_recipe(written(tmp_path)).fingerprint_of == "labels"
    before = fingerprint(data, "labels")
    cv2.imwrite(str(data.parent / "train" / "images" / "made__0.jpg"), np.zeros((96, 96, 3), np.uint8))
    assert fingerprint(data, "labels") == before != fingerprint(data)


def test_a_recipe_of_before_is_read_with_what_it_did_not_know(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))
    assert (recipe.lr0, recipe.trained_on, recipe.pasted) == (0.0008, ("made v1 train (8)",), 0.0)
    assert (recipe.ultralytics, recipe.torch, recipe.device) == ("", "", "")


def test_a_recipe_is_read_as_it_was_written(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, pasted=0.25, device="0 (a GPU)", fingerprint_of="classes, labels, pictures"))
    (tmp_path / "recipe.json").write_text(json.dumps(asdict(recipe)), encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.json") == recipe


def test_its_knobs_are_what_a_run_can_be_told_again(tmp_path: Path) -> None:
    told = knobs(read_recipe(written(tmp_path, pasted=0.25)))
    assert (told["epochs"], told["optimizer"], told["precision"], told["pasted"]) == (5, "AdamW", "bf16", 0.25)
    assert not told.keys() & {"base", "base_sha256", "data", "data_fingerprint", "trained_on", "torch", "device"}
    assert told.keys() <= asdict(Recipe(**OLD)).keys()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (json.dumps({**OLD, "learning_rate": 1, "a": 2}), "unknown keys a, learning_rate"),
        (json.dumps({**OLD, "epochs": "ten"}), "epochs: "),
        (json.dumps({**OLD, "epochs": 0}), "epochs: "),
        (json.dumps({**OLD, "mosaic": 1.5}), "mosaic: "),
        (json.dumps({**OLD, "precision": "fp8"}), "precision: "),
        (json.dumps({name: value for name, value in OLD.items() if name != "lr0"}), "lr0: "),
        ("[1]", "not a recipe.json"),
        ("{", "not a recipe.json"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        read_recipe(path)
    assert str(caught.value).startswith(str(path))
    assert what in str(caught.value)


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"recipe\.json: can't read it"):
        read_recipe(tmp_path / "recipe.json")
