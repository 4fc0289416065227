"""Training: a run leaves what it should, survives a kill at any moment, and never looks at the network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from service.lab.origins import UNKNOWN
from service.lab.precision import cpu_has_bf16
from service.lab.recipe import fingerprint
from service.lab.sampling import repeated
from service.lab.train import TrainingError, resume, train
from service.safety.equipment import CLASSES
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(300)  # each run imports torch and draws its plots, on whatever machine there is


def made_dataset(folder: Path) -> Path:
    """Write a dataset as ``ppe dataset prepare`` lays it out: eight pictures to train on, eight to judge by."""
    rng = np.random.default_rng(1)
    for split in ("train", "valid"):
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True)
        for index in range(8):
            image = rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / split / "images" / f"made__{index}.jpg"), image)
            rows = f"{index % 4} 0.5 0.2 0.3 0.3\n4 0.5 0.5 0.6 0.9\n"
            (folder / split / "labels" / f"made__{index}.txt").write_text(rows, encoding="utf-8")
    described = {"train": "train/images", "val": "valid/images", "names": dict(enumerate(CLASSES))}
    (folder / "data.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    return folder / "data.yaml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_dataset(tmp_path_factory.mktemp("made"))


def alone(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, on a machine where nobody used ultralytics before."""
    known = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "YOLO_", "ULTRALYTICS_"))
    }
    # An account of ultralytics' cloud that somebody logged into must not make a run leave the machine.
    environment = {**known, "YOLO_CONFIG_DIR": str(home), "ULTRALYTICS_API_KEY": "ul_" + "0" * 40}
    command = [sys.executable, "-m", "tests.lab.offline", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def killed(trained: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that was killed once the first was kept."""
    out = tmp_path_factory.mktemp("runs") / "killed"
    done = alone(tmp_path_factory.mktemp("home"), data, trained, out, 2, "epoch-001.pt")
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    return out


@pytest.fixture(scope="module")
def finished(killed: Path, trained: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of that run, gone on with to its end."""
    out = shutil.copytree(killed, tmp_path_factory.mktemp("runs") / "finished")
    done = alone(tmp_path_factory.mktemp("home"), data, trained, out, 2)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def checkpoint(path: Path) -> dict[str, Any]:
    import torch

    read: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return read


def is_whole(out: Path, epochs: int) -> bool:
    """Tell whether a run's weights are finished ones: stripped, both of them, and every epoch kept."""
    kept = sorted(path.name for path in (out / "epochs").iterdir())
    ended = [checkpoint(out / "weights" / name)["epoch"] for name in ("best.pt", "last.pt")]
    return kept == [f"epoch-{number:03d}.pt" for number in range(1, epochs + 1)] and ended == [-1, -1]


def test_a_run_leaves_recipe_epochs_weights_and_plots(finished: Path, data: Path, trained: Path) -> None:
    recipe = json.loads((finished / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["base"] == trained.name
    assert recipe["base_sha256"] == hashlib.sha256(trained.read_bytes()).hexdigest()
    assert recipe["data_fingerprint"] == fingerprint(data)
    assert recipe["ultralytics"] == metadata.version("ultralytics")
    assert recipe["torch"].split(".")[0].isdigit()
    assert recipe["device"] == "cpu"
    assert recipe["trained_on"][0] == UNKNOWN
    assert all(told.endswith(", by its base") for told in recipe["trained_on"][1:])
    assert (recipe["epochs"], recipe["imgsz"], recipe["batch"], recipe["precision"]) == (2, 64, 4, "fp32")
    assert is_whole(finished, 2)
    assert checkpoint(finished / "epochs" / "epoch-001.pt")["optimizer"] is not None
    assert tuple(checkpoint(finished / "weights" / "best.pt")["model"].names.values()) == CLASSES
    assert len((finished / "results.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert {"results.png", "confusion_matrix.png", "labels.jpg"} <= {path.name for path in finished.iterdir()}
    assert not list(finished.rglob("*.part"))


def test_a_run_shows_pictures_of_rare_classes_more_often(killed: Path, finished: Path, data: Path) -> None:
    recipe = json.loads((killed / "recipe.json").read_text(encoding="utf-8"))
    shown = (killed / "shown.txt").read_text(encoding="utf-8")
    expected = repeated(data.parent / "train", recipe["rare_share"], recipe["seed"])
    assert [Path(line).name for line in shown.splitlines()] == [path.name for path in expected]
    assert 8 < len(expected) < 16  # each class is on 2 of 8 pictures: a factor of sqrt(0.6 / 0.25)
    assert (finished / "shown.txt").read_text(encoding="utf-8") == shown  # what goes on sees the same


def test_a_finished_run_is_not_gone_on_with(finished: Path) -> None:
    with pytest.raises(TrainingError, match=r"this run is finished; .*best\.pt holds its weights"):
        resume(finished)


def test_the_kill_left_whole_checkpoints(killed: Path) -> None:
    kept = checkpoint(killed / "epochs" / "epoch-001.pt")
    assert kept["epoch"] == checkpoint(killed / "weights" / "last.pt")["epoch"] == 0
    assert checkpoint(killed / "weights" / "best.pt")["epoch"] == 0
    assert not (killed / "epochs" / "epoch-002.pt").exists()


def test_a_checkpoint_cut_short_is_passed_over(killed: Path, data: Path, tmp_path: Path) -> None:
    """Its recipe is one of before versions, the device and the pictures stood in it."""
    out = shutil.copytree(killed, tmp_path / "run")
    told = json.loads((out / "recipe.json").read_text(encoding="utf-8"))
    for later in ("fingerprint_of", "ultralytics", "torch", "device"):
        del told[later]
    told["data_fingerprint"] = fingerprint(data, "labels")
    (out / "recipe.json").write_text(json.dumps(told), encoding="utf-8")
    last = out / "weights" / "last.pt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    assert resume(out) == out
    assert is_whole(out, 2)
    assert len((out / "results.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_a_run_killed_at_its_very_end_and_moved_since_goes_on(finished: Path, tmp_path: Path) -> None:
    """At the end both weights are rewritten in place: last was done and best was cut short."""
    out = shutil.copytree(finished, tmp_path / "moved")
    best = out / "weights" / "best.pt"
    best.write_bytes(best.read_bytes()[:1000])
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    resume(out)
    assert is_whole(out, 2)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


@pytest.mark.parametrize("way", ["degraded", "pasted"])
def test_pictures_can_be_shown_changed(way: str, trained: Path, data: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 2, "imgsz": 96, "batch": 8, "precision": "fp32", "mosaic": 0.0, "workers": 0}
    plain, changed = (
        train(data, trained, tmp_path / f"{share}", cache=True, **{way: share}, **options) for share in (0.0, 1.0)
    )
    told = json.loads((changed / "recipe.json").read_text(encoding="utf-8"))
    assert told[way] == 1.0
    losses = [
        (out / "results.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")[2:5] for out in (plain, changed)
    ]
    assert losses[0] != losses[1]  # one seed, the same pictures


def test_bf16_on_a_cpu(trained: Path, data: Path, tmp_path: Path) -> None:
    out = train(data, trained, tmp_path / "run", epochs=1, imgsz=32, batch=4, precision="bf16")
    assert json.loads((out / "recipe.json").read_text(encoding="utf-8"))["precision"] == "bf16"
    assert is_whole(out, 1)
    model = checkpoint(out / "weights" / "best.pt")["model"].float()
    assert all(bool(weight.isfinite().all()) for weight in model.parameters())


def test_what_is_missing_is_named(data: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.pt"
    with pytest.raises(TrainingError, match=r"nowhere\.yaml: no such dataset \(ppe dataset prepare writes one\)"):
        train(tmp_path / "nowhere.yaml", base, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"base\.pt: no such base weights"):
        train(data, base, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_never_overwritten(data: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.pt"
    base.write_bytes(b"weights")
    run, note = tmp_path / "run", tmp_path / "note.txt"
    run.mkdir()
    (run / "recipe.json").touch()
    note.touch()
    for out in (run, note):
        with pytest.raises(TrainingError, match="exists already; go on with it by --resume"):
            train(data, base, out)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("names: [helmet, head, person]\ntrain: a\n", "its classes are helmet, head, person"),
        ("names: {0: person, 1: helmet}\ntrain: a\n", "its classes are person, helmet"),
        ("train: a\n", "not a dataset's data.yaml"),
        ("- a\n", "not a dataset's data.yaml"),
        ("names: 5\n", "not a dataset's data.yaml"),
        ("names: [a\n", "not a dataset's data.yaml"),
        ("", "not a dataset's data.yaml"),
    ],
)
def test_a_dataset_whose_classes_cannot_serve_is_refused(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "data.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "base.pt").write_bytes(b"weights")
    with pytest.raises(TrainingError) as caught:
        train(tmp_path / "data.yaml", tmp_path / "base.pt", tmp_path / "run")
    assert what in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_is_refused(ultralytics: None, data: Path, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    (tmp_path / "base.pt").write_bytes(b"weights")
    with pytest.raises(TrainingError, match="device 0: no CUDA device"):
        train(data, tmp_path / "base.pt", tmp_path / "run", device="0")
    assert not (tmp_path / "run").exists()


def test_runs_that_cannot_go_on(ultralytics: None, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training run"):
        resume(tmp_path)
    begun = tmp_path / "begun"
    (begun / "weights").mkdir(parents=True)
    shutil.copyfile(finished / "recipe.json", begun / "recipe.json")
    (begun / "weights" / "last.pt").write_bytes(b"half of")
    with pytest.raises(TrainingError, match="holds no checkpoint to go on from; remove it and start anew"):
        resume(begun)


def test_a_run_goes_on_with_its_own_dataset_only(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "weights" / "last.pt").unlink()
    told = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    told["data_fingerprint"] = "0" * 64
    (run / "recipe.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(TrainingError, match="is not there, or was changed since"):
        resume(run)


def test_the_fingerprint_is_of_names_and_labels(tmp_path: Path) -> None:
    one, other = made_dataset(tmp_path / "one"), made_dataset(tmp_path / "other")
    assert fingerprint(one) == fingerprint(other)
    label = other.parent / "train" / "labels" / "made__0.txt"
    label.write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    assert fingerprint(one) != fingerprint(other)
    label.rename(label.with_name("made__9.txt"))
    shutil.copyfile(one.parent / "train" / "labels" / "made__0.txt", label.with_name("made__9.txt"))
    assert fingerprint(one) != fingerprint(other)


def test_whether_the_cpu_has_bf16_can_be_told() -> None:
    assert cpu_has_bf16() in (True, False)
