"""Fine-tune a YOLO model on a prepared dataset, on whatever machine there is: a GPU, or a CPU used well.

On a CPU ultralytics takes one core fewer than there are and computes in fp32; here all cores work, the model runs
channels_last and, where the CPU multiplies bfloat16 natively (avx512_bf16), under autocast. Every epoch's checkpoint is
copied out under a name of its own with an atomic rename, so that a kill at any moment costs one epoch at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Precision = Literal["auto", "fp32", "bf16"]


class TrainingError(Exception):
    """Training can't start or go on; says what is missing and how to mend it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a training run was told; written beside its weights as ``recipe.json``."""

    base: str
    base_sha256: str
    data: str
    data_fingerprint: str
    epochs: int
    imgsz: int
    batch: int
    lr0: float
    lrf: float
    optimizer: str
    mosaic: float
    close_mosaic: int
    warmup_epochs: float
    seed: int
    precision: str


def go_offline() -> None:
    """Keep ultralytics from the network, from installing packages and from running code inside a checkpoint."""
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", ULTRALYTICS_SAFE_LOAD="1", WANDB_MODE="disabled")


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
    seed: int = 1,
    precision: Precision = "auto",
    device: str = "cpu",
    validate_each_epoch: bool = True,
) -> Path:
    """Fine-tune `base` on `data` and return the folder of the finished run (``weights/best.pt`` inside).

    Args:
        data: a prepared dataset's ``data.yaml``.
        base: weights to start from (COCO weights, or weights of ours to go on from).
        out: the run's folder; must not exist yet (`resume` goes on with one that does).
        lr0: first learning rate; the last is ``lr0 * lrf``, on a cosine.

    Raises:
        TrainingError: an input is missing or `out` exists.
    """
    for path, what in ((data, "dataset (ppe dataset prepare writes one)"), (base, "base weights")):
        if not path.is_file():
            raise TrainingError(f"{path}: no such {what}")
    if out.exists() and any(out.iterdir()):
        raise TrainingError(f"{out}: exists already; go on with it by --resume, or give a new folder")
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
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n", encoding="utf-8")
    overrides = {
        "model": str(base),
        "data": str(data.resolve()),
        "epochs": epochs,
        "imgsz": imgsz,
        "batch": batch,
        "lr0": lr0,
        "lrf": lrf,
        "cos_lr": True,
        "optimizer": optimizer,
        "mosaic": mosaic,
        "close_mosaic": close_mosaic,
        "warmup_epochs": warmup_epochs,
        "seed": seed,
        "device": device,
        "val": validate_each_epoch,
        "amp": device != "cpu",
        "deterministic": True,
        "plots": True,
        "project": str(out.parent.resolve()),
        "name": out.name,
        "exist_ok": True,
    }
    return _run(overrides, out, recipe.precision)


def resume(out: Path) -> Path:
    """Go on with an interrupted run from its newest checkpoint that can be read.

    Raises:
        TrainingError: the folder holds no checkpoint that can be read.
    """
    go_offline()
    from ultralytics.utils.patches import torch_load

    recipe = json.loads((out / "recipe.json").read_text(encoding="utf-8")) if (out / "recipe.json").is_file() else {}
    for checkpoint in [out / "weights" / "last.pt", *sorted(out.glob("epochs/epoch-*.pt"), reverse=True)]:
        if not checkpoint.is_file():
            continue
        try:
            state = torch_load(checkpoint, map_location="cpu")
        except Exception:  # noqa: BLE001, S112 - a checkpoint cut short by the kill raises what it likes; the one before it serves
            continue
        if state.get("epoch", -1) >= 0 and state.get("optimizer") is not None:
            return _run({"model": str(checkpoint), "resume": str(checkpoint)}, out, recipe.get("precision", "fp32"))
    raise TrainingError(f"{out}: holds no unfinished checkpoint to go on from")


def fingerprint(data: Path) -> str:
    """Return a sha256 over names and label rows of a prepared dataset: one fingerprint, one dataset."""
    digest = hashlib.sha256()
    for path in sorted(data.parent.glob("*/labels/*.txt")):
        digest.update(f"{path.parent.parent.name}/{path.name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run(overrides: dict[str, Any], out: Path, precision: str) -> Path:
    go_offline()
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.utils import SETTINGS

    SETTINGS.update(sync=False)

    class Trainer(DetectionTrainer):  # type: ignore[misc]  # ultralytics ships no types
        def _setup_train(self) -> None:
            super()._setup_train()
            if self.device.type == "cpu":
                torch.set_num_threads(os.cpu_count() or 1)
                self.model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = super().preprocess_batch(batch)
            if self.device.type == "cpu":
                batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

    def keep(trainer: Any) -> None:
        kept = out / "epochs"
        kept.mkdir(exist_ok=True)
        target = kept / f"epoch-{trainer.epoch + 1:03d}.pt"
        shutil.copyfile(trainer.last, target.with_suffix(".part"))
        target.with_suffix(".part").replace(target)

    trainer = Trainer(overrides=overrides)
    trainer.add_callback("on_model_save", keep)
    with _cpu_autocast(precision == "bf16" and trainer.device.type == "cpu"):
        trainer.train()
    return out


@contextlib.contextmanager
def _cpu_autocast(wanted: bool) -> Iterator[None]:
    """Give ultralytics' trainer a bfloat16 autocast for the CPU, which its own ``amp`` refuses there."""
    if not wanted:
        yield
        return
    import torch
    from ultralytics.engine import trainer as module

    original = module.autocast
    module.autocast = lambda *_args, **_kwargs: torch.autocast("cpu", dtype=torch.bfloat16)
    try:
        yield
    finally:
        module.autocast = original


def _precision(wanted: Precision, device: str) -> str:
    if wanted != "auto":
        return wanted
    return "bf16" if device == "cpu" and cpu_has_bf16() else "fp32"


def cpu_has_bf16() -> bool:
    """Tell whether this CPU multiplies bfloat16 natively (Linux only; elsewhere False)."""
    with contextlib.suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
