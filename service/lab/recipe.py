"""What a training run was told, kept beside its weights, and a fingerprint of what it learnt from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from service.lab.dataset.records import PICTURE_SUFFIXES

Covered = Literal["labels", "classes, labels, pictures"]
"""What a fingerprint covers; runs of before pictures were covered name only labels."""
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class TrainingError(Exception):
    """Training can't start or go on; says what is missing and how to mend it."""


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Recipe:
    """Everything a training run was told; written beside its weights as ``recipe.json``.

    What came later than the first runs has a default, so that a run of before can be gone on with.
    """

    base: str
    base_sha256: str
    data: str
    data_fingerprint: str
    epochs: Count
    imgsz: Count
    batch: Count
    lr0: float
    lrf: float
    optimizer: str
    mosaic: Share
    close_mosaic: Annotated[int, Field(ge=0)]
    warmup_epochs: Annotated[float, Field(ge=0)]
    seed: int
    precision: Literal["fp32", "bf16"]
    rare_share: Share = 0.0
    scale: Share = 0.5
    hsv_v: Share = 0.4
    degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    mixup: Share = 0.0
    degraded: Share = 0.0
    pasted: Share = 0.0
    trained_on: tuple[str, ...] = ()
    fingerprint_of: Covered = "labels"
    ultralytics: str = ""
    torch: str = ""
    device: str = ""


FACTS: Final = frozenset(
    {
        "base", "base_sha256", "data", "data_fingerprint", "fingerprint_of", "trained_on", "ultralytics", "torch",
        "device",
    }
)  # fmt: skip
"""What of a recipe says what a run was made of and on, and is given anew to another run."""
OURS: Final = FACTS | {"precision", "rare_share", "degraded", "pasted"}
"""What of a recipe ultralytics knows under another name or not at all."""
_RECIPE = TypeAdapter(Recipe)


def read_recipe(path: Path) -> Recipe:
    """Read the recipe of a run.

    Raises:
        TrainingError: it is not there, holds what no recipe has, or a value can't be; names the file and the key.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"{path}: can't read it ({error.strerror})") from error
    except ValueError as error:
        raise TrainingError(f"{path}: not a recipe.json of ppe train ({error})") from error
    if not isinstance(told, dict):
        raise TrainingError(f"{path}: not a recipe.json of ppe train")
    known = [field.name for field in fields(Recipe)]
    if unknown := sorted(told.keys() - set(known)):
        raise TrainingError(f"{path}: unknown keys {', '.join(unknown)}; a recipe has {', '.join(known)}")
    try:
        return _RECIPE.validate_python(told)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise TrainingError(f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error


def knobs(recipe: Recipe) -> dict[str, Any]:
    """Return what another run can be told as this one was: the keywords of `train.train` but data, base and machine."""
    return {name: value for name, value in asdict(recipe).items() if name not in FACTS}


def fingerprint(data: Path, covered: Covered = "classes, labels, pictures") -> str:
    """Return a sha256 over a prepared dataset: its data.yaml, its label rows and its pictures, names and bytes.

    Args:
        data: the data.yaml.
        covered: ``labels`` leaves out all but the label rows, as the fingerprints of runs of before do.
    """
    digest = hashlib.sha256()
    if covered != "labels":
        digest.update(data.read_bytes())
    for path in sorted(data.parent.glob("*/labels/*.txt")):
        digest.update(_named(path))
        digest.update(path.read_bytes())
    if covered != "labels":
        for path in sorted(data.parent.glob("*/images/*")):
            if path.suffix.lower() in PICTURE_SUFFIXES:  # ultralytics may keep decoded pictures beside them
                digest.update(_named(path))
                with path.open("rb") as content:
                    digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def _named(path: Path) -> bytes:
    return f"{path.parent.parent.name}/{path.name}\n".encode()
