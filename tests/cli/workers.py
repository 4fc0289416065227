"""A detector that always sees the same two workers, whatever the picture, and a runner for the commands."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import app
from service.detectors.fake import FakeDetector
from service.ports import Image
from service.safety.detections import Detections
from service.settings import Settings
from tests.safety.scenes import head_of, person_at, scene, torso_of


def two_workers(image: Image) -> Detections:
    """See one worker with everything, and one with a helmet and no vest."""
    height, width = image.shape[:2]
    left = person_at(0.1 * width, 0.2 * height, 0.25 * width, 0.7 * height, confidence=0.9)
    right = person_at(0.6 * width, 0.2 * height, 0.25 * width, 0.7 * height, confidence=0.8)
    rows = (left, right, head_of(left), torso_of(left), head_of(right), torso_of(right, "no-vest"))
    return scene(*rows, width=width, height=height)


def run(*arguments: str | Path, see: object = two_workers, typed: str | None = None, **environment: str) -> Result:
    """Run ``ppe`` with a detector that sees what `see` says (None takes the real one) and `typed` on stdin."""
    opening = None if see is None else lambda settings: FakeDetector(see)  # type: ignore[arg-type]
    return CliRunner().invoke(app, [str(argument) for argument in arguments], obj=opening, env=environment, input=typed)


def photo(path: Path, width: int = 320, height: int = 240, value: int = 128) -> Path:
    """Write a picture of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, np.full((height, width, 3), value, dtype=np.uint8))[1].tobytes())
    return path


def real_weights() -> Path:
    """Return the manifest of the project's own weights, or skip."""
    manifest = Settings().weights
    if not manifest.is_file():
        pytest.skip(f"needs the project's weights, and {manifest} is not there")
    return manifest
