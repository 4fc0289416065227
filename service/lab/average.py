"""Average the weights of several checkpoints of one model (model soups, Wortsman et al. 2022, arXiv 2203.05482).

Checkpoints of one fine-tuning lie in one valley; their mean is often better than each, and costs nothing when it runs.
"""

from __future__ import annotations

from pathlib import Path

from service.lab.train import TrainingError, go_offline


def average(checkpoints: list[Path], out: Path) -> None:
    """Write the plain mean of checkpoints' weights as an Ultralytics ``.pt``.

    Args:
        checkpoints: two or more ``.pt`` files of one architecture with the same classes; of each the averaged (EMA)
            weights are taken where it holds some.
        out: file to write.

    Raises:
        TrainingError: a file is missing, or they are not of one kind.
    """
    go_offline()
    import torch
    from ultralytics.utils.patches import torch_load

    missing = [path for path in checkpoints if not path.is_file()]
    if missing or len(checkpoints) < 2:
        raise TrainingError(f"{missing[0]}: no such checkpoint" if missing else "give two checkpoints or more")
    loaded, models = [], []
    for path in checkpoints:
        try:
            loaded.append(torch_load(path, map_location="cpu"))
            models.append((loaded[-1].get("ema") or loaded[-1]["model"]).float())
        except Exception as error:  # what is no checkpoint raises what it likes
            raise TrainingError(f"{path}: no checkpoint of ultralytics") from error
    states = [model.state_dict() for model in models]
    for path, model, state in zip(checkpoints, models, states, strict=True):
        shapes = {name: tensor.shape for name, tensor in state.items()}
        if model.names != models[0].names or shapes != {name: tensor.shape for name, tensor in states[0].items()}:
            raise TrainingError(f"{path}: is of another architecture or has other classes than {checkpoints[0]}")
    mean = {
        name: sum(state[name].float() for state in states) / len(states) if first.is_floating_point() else first
        for name, first in states[0].items()
    }
    models[-1].load_state_dict(mean)
    told = loaded[-1].get("train_args", {})
    args = {"task": "detect", "imgsz": told.get("imgsz", 640), "data": Path(str(told.get("data") or "")).name or None}
    models[-1].args = args  # the rest, and where it was read from, are paths of the machine that trained
    for name in ("pt_path", "ckpt_path"):
        models[-1].__dict__.pop(name, None)
    torch.save({"epoch": -1, "model": models[-1].half(), "train_args": args, "ema": None, "optimizer": None}, out)
