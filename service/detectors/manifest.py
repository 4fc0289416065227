"""The weights' manifest: what a model is, whether the file on disk is that model, and what its answers mean."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.ports import Model
from service.safety.equipment import CLASSES, ClassName
from service.safety.thresholds import Thresholds

Kind = Literal["onnx", "pt"]


class WeightsError(Exception):
    """The weights can't serve; one sentence that says which file, what is wrong and how to mend it."""


class WeightsFile(BaseModel):
    """One file of the weights, beside the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str


class GoldenBox(BaseModel):
    """A box that these weights see on their golden picture: class, confidence, corners in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassName
    confidence: float = Field(ge=0, le=1)
    box: tuple[float, float, float, float]


class Golden(BaseModel):
    """A picture beside the manifest, and what these weights see on it (`detectors.golden`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: str
    sha256: str
    boxes: tuple[GoldenBox, ...] = Field(min_length=1)


class Manifest(BaseModel):
    """What ``weights/manifest.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    licence: str
    classes: tuple[str, ...]
    files: dict[Kind, WeightsFile]
    input_shapes: tuple[tuple[int, int], ...]
    thresholds: Thresholds
    scores: dict[str, Any]
    trained_on: tuple[str, ...]
    how_made: dict[str, Any]
    golden: Golden | None = None


class Weights(BaseModel):
    """Verified weights: the manifest and one file of it whose bytes are the ones it names."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    path: Path
    sha256: str

    @property
    def model(self) -> Model:
        """The identity that a detector running these weights answers with."""
        return Model(
            name=self.manifest.name,
            version=self.manifest.version,
            sha256=self.sha256,
            thresholds=self.manifest.thresholds,
        )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        WeightsError: it is missing, damaged, or its classes can't serve the rules.
    """
    try:
        manifest = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(
            f"{path}: no weights manifest there ({error.strerror}); set PPE_WEIGHTS to a manifest.json"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: not a weights manifest: {_first(error)}") from error
    if manifest.classes != CLASSES:
        lacking = [name for name in CLASSES if name not in manifest.classes]
        what = f"lack {', '.join(lacking)}" if lacking else f"stand in another order than {', '.join(CLASSES)}"
        raise WeightsError(f"{path}: these weights can't serve the rules, their classes {what}")
    return manifest


def read_weights(path: Path, kind: Kind) -> Weights:
    """Read a manifest and verify one of its files.

    Raises:
        WeightsError: see `read_manifest`; or the file is missing or is not the one that the manifest names.
    """
    manifest = read_manifest(path)
    if kind not in manifest.files:
        raise WeightsError(f"{path}: names no {kind} file, it holds {', '.join(sorted(manifest.files))}")
    entry = manifest.files[kind]
    file = path.parent / entry.file
    try:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{file}: the weights that {path.name} names are not there ({error.strerror})") from error
    if found != entry.sha256:
        raise WeightsError(
            f"{file}: sha256 is {found}, but {path.name} names {entry.sha256}; fetch the weights again, or export anew"
        )
    return Weights(manifest=manifest, path=file, sha256=found)


def check_classes(path: Path, names: dict[int, str]) -> None:
    """Refuse a file whose own class list is not the rules'.

    Raises:
        WeightsError: it is not.
    """
    if tuple(names[index] for index in sorted(names)) != CLASSES:
        raise WeightsError(
            f"{path}: its classes are {', '.join(names.values())}; the rules need {', '.join(CLASSES)} in this order"
        )


def _first(error: ValidationError | UnicodeDecodeError) -> str:
    if isinstance(error, ValidationError):
        entry = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}"
    return str(error)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest, readable and with a stable order of keys."""
    path.write_text(json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
