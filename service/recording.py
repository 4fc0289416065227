"""Recorded detections: one JSON line a frame, from which the whole product behind the detector can be played again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.site import Scene
from service.safety.thresholds import Thresholds

FORMAT = "ppe-recording/1"


class RecordingError(Exception):
    """A recording can't be read; names file and line."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The first line: which camera, model and thresholds; and by which scene it was judged, if that is told."""

    camera: str
    model: str
    thresholds: Thresholds
    scene: Scene | None = None


def write_heading(stream: TextIO, heading: Heading) -> None:
    """Write a recording's first line."""
    row: dict[str, Any] = {
        "format": FORMAT,
        "camera": heading.camera,
        "model": heading.model,
        "thresholds": heading.thresholds.model_dump(mode="json"),
    }
    if heading.scene is not None:
        row["scene"] = heading.scene.model_dump(mode="json", by_alias=True)
    stream.write(json.dumps(row, separators=(",", ":")) + "\n")


def continued(frames: Iterable[tuple[Moment, Detections]]) -> Iterator[tuple[Detections, Moment]]:
    """Yield remembered frames on one clock that only goes on, also where the machine or a recorded camera began anew.

    There it goes on by the wall clock, or by a second where that was set back.
    """
    last: Moment | None = None
    moved = 0.0
    for at, detections in frames:
        if last is not None and at.seconds + moved <= last.seconds:
            moved = last.seconds + max(1.0, (at.wall_ms - last.wall_ms) / 1000) - at.seconds
        last = Moment(at.seconds + moved, at.wall_ms)
        yield detections, last


def write_frame(stream: TextIO, detections: Detections, at: Moment) -> None:
    """Write one frame; every float32 survives exactly."""
    row: dict[str, Any] = {
        "seconds": at.seconds,
        "wall_ms": at.wall_ms,
        "size": [detections.width, detections.height],
        "scale": detections.scale,
        "boxes": detections.boxes.tolist(),
        "confidence": detections.confidence.tolist(),
        "class": detections.class_id.tolist(),
    }
    if (detections.seen_scale != np.float32(detections.scale)).any():
        row["seen_scale"] = detections.seen_scale.tolist()
    stream.write(json.dumps(row, separators=(",", ":")) + "\n")


def read_recording(path: Path) -> tuple[Heading, Iterator[tuple[Detections, Moment]]]:
    """Open a recording: its heading, and its frames as they are read.

    Raises:
        RecordingError: it is none (at once), or a line is damaged (while reading).
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: can't read this recording ({error})") from error
    return recording_of(lines, str(path))


def recording_of(lines: list[str], path: str) -> tuple[Heading, Iterator[tuple[Detections, Moment]]]:
    """Read a recording's lines; see `read_recording`.

    Args:
        lines: without line ends.
        path: what it is called.

    Raises:
        RecordingError: it is none (at once), or a line is damaged (while reading).
    """
    try:
        head: dict[str, Any] = json.loads(lines[0])
        if head["format"] != FORMAT:
            raise RecordingError(f"{path}:1: format {head['format']!r}, expected {FORMAT}")
        scene = Scene.model_validate(head["scene"]) if "scene" in head else None
        heading = Heading(head["camera"], head["model"], Thresholds.model_validate(head["thresholds"]), scene)
    except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RecordingError(f"{path}:1: not a recording of detections (ppe watch --record writes one)") from error
    return heading, _frames(path, lines[1:])


def _frames(path: str, lines: list[str]) -> Iterator[tuple[Detections, Moment]]:
    last = -math.inf
    for number, line in enumerate(lines, start=2):
        try:
            frame = _frame(json.loads(line))
            if frame[1].seconds <= last:
                raise ValueError(f"at {frame[1].seconds:g} s, not after the one before it")
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, RecursionError) as error:
            raise RecordingError(f"{path}:{number}: damaged frame: {error}") from error
        last = frame[1].seconds
        yield frame


def _frame(row: Any) -> tuple[Detections, Moment]:
    (width, height), seconds, wall_ms = row["size"], row["seconds"], row["wall_ms"]
    if not all(type(value) is int for value in (width, height, wall_ms, *row["class"])):
        raise ValueError("size, wall_ms and class are whole numbers")
    if not (isinstance(seconds, int | float) and math.isfinite(seconds) and math.isfinite(row["scale"])):
        raise ValueError("seconds and scale are finite numbers")
    seen = Detections(
        np.array(row["boxes"], dtype=np.float32).reshape(-1, 4),
        np.array(row["confidence"], dtype=np.float32),
        np.array(row["class"], dtype=np.int64),
        width,
        height,
        row["scale"],
        np.array(row.get("seen_scale", []), dtype=np.float32),
    )
    return seen, Moment(seconds, wall_ms)
