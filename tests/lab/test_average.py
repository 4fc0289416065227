"""The mean of checkpoints: of every weight, of like models only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.lab.average import average
from service.lab.train import TrainingError


def shifted(trained: Path, target: Path, by: float, **changes: Any) -> Path:
    """Copy weights with every number of the last layer moved, and whatever else of the checkpoint is changed."""
    import torch

    checkpoint = torch.load(trained, map_location="cpu", weights_only=False)
    model = checkpoint["model"].float()
    with torch.no_grad():
        for weight in model.model[-1].parameters():
            weight.add_(by)
    for name, value in changes.items():
        setattr(model, name, value)
    torch.save({**checkpoint, "model": model}, target)
    return target


def weights(path: Path) -> dict[str, Any]:
    import torch

    found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)["model"].float().state_dict()
    return found


def test_the_mean_is_between(trained: Path, tmp_path: Path) -> None:
    low, high = shifted(trained, tmp_path / "low.pt", -0.25), shifted(trained, tmp_path / "high.pt", 0.5)
    average([low, high], tmp_path / "mean.pt")
    mean, one, other = (weights(path) for path in (tmp_path / "mean.pt", low, high))
    assert mean.keys() == one.keys()
    for name, value in mean.items():
        expected = (one[name] + other[name]) / 2 if value.is_floating_point() else one[name]
        assert value.numpy() == pytest.approx(expected.numpy(), abs=2e-3, rel=2e-3)  # kept in half precision


def test_the_mean_of_one_thing_with_itself_is_that(trained: Path, tmp_path: Path) -> None:
    average([trained, trained], tmp_path / "mean.pt")
    mean, before = weights(tmp_path / "mean.pt"), weights(trained)
    assert all(bool((mean[name] == value).all()) for name, value in before.items())


def test_unlike_models_are_refused(trained: Path, tmp_path: Path) -> None:
    names = dict(enumerate(["helmet", "no-helmet", "vest", "no-vest", "worker"]))
    other = shifted(trained, tmp_path / "other.pt", 0.0, names=names)
    with pytest.raises(TrainingError, match=r"other\.pt: is of another architecture or has other classes"):
        average([trained, other], tmp_path / "mean.pt")
    assert not (tmp_path / "mean.pt").exists()


def test_what_cannot_be_averaged_is_refused(ultralytics: None, tmp_path: Path) -> None:
    note = tmp_path / "note.pt"
    with pytest.raises(TrainingError, match=r"note\.pt: no such checkpoint"):
        average([note, note], tmp_path / "mean.pt")
    note.write_text("not weights", encoding="utf-8")
    with pytest.raises(TrainingError, match="give two checkpoints or more"):
        average([note], tmp_path / "mean.pt")
    with pytest.raises(TrainingError, match=r"note\.pt: no checkpoint of ultralytics"):
        average([note, note], tmp_path / "mean.pt")
