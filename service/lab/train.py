"""Fine-tune a YOLO model on a prepared dataset, on whatever machine there is: a GPU, or a CPU used well.

On a CPU ultralytics takes one core fewer than there are and computes in fp32; here all cores work, the model runs
channels_last and, where the CPU multiplies bfloat16 natively (avx512_bf16), under autocast. Every checkpoint is written
under another name and renamed, and every epoch's is copied out, so that a kill at any moment costs one epoch at most.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import yaml

from service.lab.origins import origins
from service.lab.precision import cpu_autocast, cpu_has_bf16
from service.lab.recipe import OURS, Recipe, TrainingError, fingerprint, read_recipe
from service.safety.equipment import CLASSES

__all__ = ["Precision", "TrainingError", "go_offline", "resume", "train"]

Precision = Literal["auto", "fp32", "bf16"]


def go_offline() -> None:
    """Keep ultralytics from the network, from installing packages and from running code inside a checkpoint.

    Call it before anything else imports ultralytics, which reads these variables once.

    Raises:
        ModuleNotFoundError: the extra ``train`` is not installed.
    """
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", ULTRALYTICS_SAFE_LOAD="1", WANDB_MODE="disabled")
    from ultralytics.data import utils as data
    from ultralytics.utils import checks, plotting
    from ultralytics.utils.events import events

    events.enabled = False
    for module in (data, checks, plotting):  # even offline it asks its server for a font that it lacks
        module.check_font = _shipped_font


def _shipped_font(_font: str = "") -> str:
    """Return a font that matplotlib ships, whichever ultralytics asks for."""
    import matplotlib as mpl

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


def train(  # noqa: PLR0913 - the knobs of a training run are many by nature
    data: Path,
    base: Path,
    out: Path,
    *,
    epochs: int = 15,
    imgsz: int = 640,
    batch: int = 16,
    lr0: float = 1e-3,
    lrf: float = 0.05,
    optimizer: str = "AdamW",
    mosaic: float = 0.3,
    close_mosaic: int = 2,
    warmup_epochs: float = 1.0,
    rare_share: float = 0.0,
    scale: float = 0.5,
    hsv_v: float = 0.4,
    degrees: float = 0.0,
    mixup: float = 0.0,
    degraded: float = 0.0,
    pasted: float = 0.0,
    seed: int = 1,
    precision: Precision = "auto",
    device: str = "cpu",
    workers: int = 8,
    cache: bool = False,
    validate_each_epoch: bool = True,
) -> Path:
    """Fine-tune `base` on `data` and return the folder of the finished run (``weights/best.pt`` inside).

    Args:
        data: a prepared dataset's ``data.yaml``.
        base: weights to start from (COCO weights, or weights of ours to go on from).
        out: the run's folder; must not exist yet (`resume` goes on with one that does).
        lr0: first learning rate; the last is ``lr0 * lrf``, on a cosine.
        rare_share: pictures with a class that fewer than this share of them hold are shown more often (`sampling`).
        scale, hsv_v, degrees, mixup: ultralytics' augmentation of the same names: zoom, brightness, rotation, blending.
        degraded: share of the pictures that are shown as a poor camera would (`degrading`).
        pasted: share of the pictures that get another picture's head (`pasting`).
        workers: processes that prepare pictures; more of them keep a GPU busy.
        cache: keep all pictures decoded in memory (1.2 MB each at 640).

    Raises:
        TrainingError: an input is missing or can't serve, `out` exists, or there is no such device.
    """
    for path, what in ((data, "dataset (ppe dataset prepare writes one)"), (base, "base weights")):
        if not path.is_file():
            raise TrainingError(f"{path}: no such {what}")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise TrainingError(f"{out}: exists already; go on with it by --resume, or give a new folder")
    _check_classes(data)
    go_offline()
    out = out.resolve()
    recipe = Recipe(
        base=base.name,
        base_sha256=hashlib.sha256(base.read_bytes()).hexdigest(),
        data=data.name,
        data_fingerprint=fingerprint(data),
        epochs=epochs,
        imgsz=imgsz,
        batch=batch,
        lr0=lr0,
        lrf=lrf,
        optimizer=optimizer,
        mosaic=mosaic,
        close_mosaic=close_mosaic,
        warmup_epochs=warmup_epochs,
        seed=seed,
        precision=_precision(precision, device),
        rare_share=rare_share,
        scale=scale,
        hsv_v=hsv_v,
        degrees=degrees,
        mixup=mixup,
        degraded=degraded,
        pasted=pasted,
        trained_on=origins(data, base),
        fingerprint_of="classes, labels, pictures",
        ultralytics=metadata.version("ultralytics"),
        torch=metadata.version("torch"),
        device=_named(device),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n", encoding="utf-8")
    overrides = {
        "model": str(base),
        "data": str(data.resolve()),
        **{name: value for name, value in asdict(recipe).items() if name not in OURS},
        "cos_lr": True,
        "device": device,
        "workers": workers,
        "cache": cache,
        "val": validate_each_epoch,
        "amp": "bf16" if device != "cpu" and recipe.precision == "bf16" else False,  # its fp16 check fetches weights
        "deterministic": True,
        "plots": True,
    }
    return _run(overrides, out, recipe)


def resume(out: Path) -> Path:
    """Go on with an interrupted run from its newest checkpoint that can be read.

    Raises:
        TrainingError: the run is finished, its dataset is another one, or its recipe or no checkpoint can be read.
    """
    out = out.resolve()
    recipe = out / "recipe.json"
    if not recipe.is_file():
        raise TrainingError(f"{out}: no training run (ppe train writes recipe.json there)")
    go_offline()
    told = read_recipe(recipe)
    best, last = out / "weights" / "best.pt", out / "weights" / "last.pt"
    kept = {path: _checkpoint(path) for path in sorted(out.glob("epochs/epoch-*.pt"), reverse=True)}
    readable = {path: state for path, state in {last: _checkpoint(last), **kept}.items() if state}
    whole = bool(_checkpoint(best))
    if whole and last in readable and readable[last]["epoch"] < 0:
        raise TrainingError(f"{out}: this run is finished; {best} holds its weights")
    unfinished = (path for path, state in readable.items() if 0 <= state["epoch"] < told.epochs - 1)
    checkpoint = next(unfinished, None)
    if checkpoint is None:
        raise TrainingError(f"{out}: holds no checkpoint to go on from; remove it and start anew")
    data = Path(readable[checkpoint]["train_args"]["data"])
    if not data.is_file() or fingerprint(data, told.fingerprint_of) != told.data_fingerprint:
        raise TrainingError(f"{data}: the dataset of this run is not there, or was changed since; put it back")
    if not whole:  # the kill came while it was rewritten at the end
        scores = {path: (state["train_metrics"].get("fitness") or 0.0) for path, state in kept.items() if state}
        shutil.copyfile(max(scores, key=lambda path: scores[path], default=checkpoint), best)
    return _run({"model": str(checkpoint), "resume": str(checkpoint)}, out, told)


def _checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint; None when it is missing or was cut short by a kill."""
    from ultralytics.utils.patches import torch_load

    try:
        state: dict[str, Any] = torch_load(path, map_location="cpu")
    except Exception:  # noqa: BLE001 - a checkpoint cut short raises what it likes; the one before it serves
        return None
    return state if isinstance(state, dict) and {"epoch", "train_metrics"} <= state.keys() else None


def _check_classes(data: Path) -> None:
    """Refuse a dataset whose classes are not the rules': what is trained on it could not serve."""
    try:
        names = yaml.safe_load(data.read_text(encoding="utf-8"))["names"]
        listed = tuple(names[index] for index in sorted(names)) if isinstance(names, dict) else tuple(names)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise TrainingError(f"{data}: not a dataset's data.yaml (ppe dataset prepare writes one)") from error
    if listed != CLASSES:
        raise TrainingError(f"{data}: its classes are {', '.join(map(str, listed))}; ppe dataset prepare maps them")


def _run(overrides: dict[str, Any], out: Path, recipe: Recipe) -> Path:
    from service.lab.finetuning import fine_tuning

    def keep(trainer: Any) -> None:
        kept = out / "epochs"
        kept.mkdir(exist_ok=True)
        target = kept / f"epoch-{trainer.epoch + 1:03d}.pt"
        shutil.copyfile(trainer.last, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)

    trainer = fine_tuning(overrides, out, recipe.rare_share, recipe.degraded, recipe.pasted, recipe.seed)
    trainer.add_callback("on_model_save", keep)
    with cpu_autocast(recipe.precision == "bf16" and trainer.device.type == "cpu"):
        trainer.train()
    return out


def _named(device: str) -> str:
    """Return a device with the name of the card that it means, for the recipe."""
    if device == "cpu":
        return device
    import torch

    first = device.removeprefix("cuda:").partition(",")[0]
    return f"{device} ({torch.cuda.get_device_name(int(first) if first.isdigit() else None)})"


def _precision(wanted: Precision, device: str) -> Literal["fp32", "bf16"]:
    if device == "cpu":
        able = cpu_has_bf16()
    else:
        import torch

        if not torch.cuda.is_available():
            raise TrainingError(f"device {device}: no CUDA device can be used here; --device cpu trains on the CPU")
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    return wanted if wanted != "auto" else "bf16" if able else "fp32"
