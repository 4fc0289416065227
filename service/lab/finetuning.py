"""Ultralytics' trainer as it is used here: whole checkpoints, all cores of a CPU, rare classes shown more often."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
from pathlib import Path
from typing import Any

from service.lab.degrading import degrade
from service.lab.pasting import HeadPaster
from service.lab.sampling import repeated

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt(3)."""


def fine_tuning(
    overrides: dict[str, Any], out: Path, rare_share: float, degraded: float, pasted: float, seed: int
) -> Any:
    """Return a trainer, ready to ``train()``.

    Args:
        overrides: ultralytics' settings.
        out: the run's folder.
        rare_share, seed: see `sampling.repeated`.
        degraded: share of the pictures that are shown as a poor camera would, see `degrading.degrade`.
        pasted: share of the pictures that get another picture's head, see `pasting.HeadPaster`.
    """
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    dice = random.Random(seed)  # noqa: S311 - no secret
    paste = HeadPaster(pasted, seed)

    # Not called a Trainer: to classes of that name ultralytics adds its cloud and every tracker that is installed.
    class FineTuning(DetectionTrainer):  # type: ignore[misc]  # ultralytics ships no types
        best: Path
        last: Path

        def check_resume(self, overrides: dict[str, Any]) -> None:
            super().check_resume(overrides)
            self.args.save_dir = str(out)  # where the run lies now, not where it began

        def get_dataset(self) -> Any:
            data = super().get_dataset()
            shown = out / "shown.txt"  # ultralytics reads a list of pictures in place of their folder
            pictures = repeated(Path(data["train"]).parent, rare_share, seed)
            shown.write_text("".join(f"{picture}\n" for picture in pictures), encoding="utf-8")
            return {**data, "train": str(shown)}

        def _setup_train(self) -> None:
            super()._setup_train()
            if self.device.type == "cpu":
                _keep_memory()
                torch.set_num_threads(os.cpu_count() or 1)
                self.model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = paste(super().preprocess_batch(batch))
            if self.device.type == "cpu":
                batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            batch["img"] = degrade(batch["img"], degraded, dice)
            return batch

        def save_model(self) -> bool:
            places = self.best, self.last  # the best first: a kill between them leaves an older last, which is redone
            self.best, self.last = (place.with_suffix(".part") for place in places)
            try:
                saved: bool = super().save_model()
                for place in places:
                    if place.with_suffix(".part").exists():
                        place.with_suffix(".part").replace(place)
            finally:
                self.best, self.last = places
            return saved

    return FineTuning(overrides=overrides)


def _keep_memory() -> None:
    """Tell glibc to keep the memory that a training step frees for the next one (elsewhere this does nothing).

    By default each large tensor is mapped anew and zeroed by the kernel, page by page: a third of a step on a CPU.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)
