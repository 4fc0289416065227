"""Clip truth: who is in each evaluation clip, when, where, and what they wear, as a person who watches it would say.

Times are seconds from the start of the clip, boxes ``(x1, y1, x2, y2)`` in pixels of its picture. Made by looking,
once, before anything was tuned on these clips; ``docs/clips.md`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from service.lab.dataset.faults import DatasetError
from service.lab.truth_review.decisions import Judgement
from service.lab.truth_review.rule import Box
from service.safety.equipment import Equipment


class Visible(NamedTuple):
    """One stay in the picture, in seconds; both ends belong to it."""

    start: float
    end: float


class Judged(NamedTuple):
    """A time, in seconds, in which a person can tell whether an equipment is worn; both ends belong to it."""

    start: float
    end: float
    state: Literal["worn", "missing"]


class Outline(NamedTuple):
    """Where the visible part of somebody is at `t` seconds, in pixels."""

    t: float
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class ClipWorker:
    """One person of a clip, the same one through all stays; outside `helmet` and `vest` that equipment can't be judged.

    `id` is a plain description; every stay begins and ends with an outline, and `judged` times lie within one stay.
    """

    id: Annotated[str, Field(min_length=3)]
    visible: Annotated[tuple[Visible, ...], Field(min_length=1)]
    boxes: tuple[Outline, ...]
    helmet: tuple[Judged, ...]
    vest: tuple[Judged, ...]
    note: str

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        for what, spans in (("visible", self.visible), ("helmet", self.helmet), ("vest", self.vest)):
            _refuse_disorder(f"{self.id}: {what}", spans)
            for span in spans:
                if not any(stay.start <= span.start and span.end <= stay.end for stay in self.visible):
                    raise ValueError(f"{self.id}: {what} from {span.start:g} s reaches out of the stays in the picture")
        times = [outline.t for outline in self.boxes]
        if any(earlier >= later for earlier, later in pairwise(times)):
            raise ValueError(f"{self.id}: boxes are not in order of time")
        if any(stay.start not in times or stay.end not in times for stay in self.visible):
            raise ValueError(f"{self.id}: a stay does not begin and end with a box")
        for outline in self.boxes:
            if not any(stay.start <= outline.t <= stay.end for stay in self.visible):
                raise ValueError(f"{self.id}: box at {outline.t:g} s is outside the stays in the picture")
            if outline.x1 >= outline.x2 or outline.y1 >= outline.y2:
                raise ValueError(f"{self.id}: box at {outline.t:g} s is empty")
        return self


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Clip:
    """One clip by file name and sha256, its size in pixels, frames a second, length in seconds, and its people."""

    clip: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    fps: Annotated[float, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0)]
    note: str
    workers: tuple[ClipWorker, ...]

    @model_validator(mode="after")
    def _refuse_strays(self) -> Self:
        if len({worker.id for worker in self.workers}) < len(self.workers):
            raise ValueError("two workers carry one id")
        for worker in self.workers:
            for t, x1, y1, x2, y2 in worker.boxes:
                if t < 0 or t > self.seconds or x1 < 0 or y1 < 0 or x2 > self.width or y2 > self.height:
                    raise ValueError(f"{worker.id}: box at {t:g} s is outside the clip")
        return self


_ROW = TypeAdapter(Clip)


def read_clips(path: Path) -> list[Clip]:
    """Read a clip truth file, in its order.

    Raises:
        DatasetError: the file can't be read or a row is wrong; names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"can't read this clip truth ({error})") from error
    clips: list[Clip] = []
    for number, line in enumerate(lines, start=1):
        try:
            clips.append(_ROW.validate_json(line))
        except ValidationError as error:
            raise DatasetError(path, f"not a row of clip truth: {error}", number) from error
    return clips


def box_at(worker: ClipWorker, t: float) -> Box | None:
    """Answer where `worker` is at `t` seconds, in pixels, linearly between outlines; None while out of the picture."""
    stay = next((stay for stay in worker.visible if stay.start <= t <= stay.end), None)
    if stay is None:
        return None
    before, after = next(pair for pair in pairwise(worker.boxes) if pair[0].t <= t <= pair[1].t)
    share = (t - before.t) / (after.t - before.t)
    x1, y1, x2, y2 = (low + (high - low) * share for low, high in zip(before[1:], after[1:], strict=True))
    return x1, y1, x2, y2


def state_at(worker: ClipWorker, equipment: Equipment, t: float) -> Judgement | None:
    """Answer what a person who looks at second `t` would say; None while the worker is out of the picture."""
    if not any(stay.start <= t <= stay.end for stay in worker.visible):
        return None
    spans = worker.helmet if equipment == "helmet" else worker.vest
    return next((span.state for span in spans if span.start <= t <= span.end), "not_judgeable")


def _refuse_disorder(what: str, spans: Sequence[Visible | Judged]) -> None:
    if any(span.start >= span.end for span in spans) or any(a.end >= b.start for a, b in pairwise(spans)):
        raise ValueError(f"{what}: times are empty, overlapping or out of order")
