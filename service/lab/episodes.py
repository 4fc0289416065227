"""Judge the alerts on recorded clips against what a person sees in them: found, missed, false, doubled, how soon.

An episode is a span in which a worker visibly lacks an equipment, from `LEAST` seconds on. An alert is about the worker
on whom its box lies for most of its life (tracks may change hands while two people cross), and it finds the episode of
that worker and equipment that was going on when it fired.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from service.cameras.opening import open_source
from service.lab.clips import Clip, ClipWorker, box_at
from service.lab.dataset.faults import DatasetError
from service.ports import CameraState, Clock, Detector, Frame, Image
from service.safety.alerts import Alert
from service.safety.equipment import EQUIPMENT, Equipment
from service.safety.inference import Box
from service.safety.monitor import Monitor, Tracker
from service.safety.overlap import iou
from service.safety.site import Scene

LEAST: Final = 3.0
"""Seconds of an episode that the default policy can be asked to find (on_delay and a second to see it)."""
JOINED: Final = 3.0
"""Spans of one worker that are no further apart than this are one episode."""
ON_WORKER: Final = 0.3

Look = Callable[[Image], Image]


def _jpeg40(image: Image) -> Image:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def _brighter(factor: float) -> Look:
    return lambda image: np.clip(image.astype(np.float32) * factor, 0, 255).astype(np.uint8)


VARIANTS: Final[dict[str, tuple[float, Look]]] = {
    "5 fps": (5.0, lambda image: image),
    "10 fps": (10.0, lambda image: image),
    "mirrored": (5.0, lambda image: np.ascontiguousarray(image[:, ::-1])),
    "brightness +20 %": (5.0, _brighter(1.2)),
    "brightness -20 %": (5.0, _brighter(0.8)),
    "JPEG quality 40": (5.0, _jpeg40),
}
"""Name -> (frames a second, what is done to each picture)."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A worker visibly lacks an equipment from `begin` to `end` (seconds)."""

    worker: ClipWorker
    equipment: Equipment
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Score:
    """How the alerts on one clip compare with what is to be seen."""

    clip: str
    variant: str
    seconds: float
    episodes: int
    found: int
    missed: int
    doubled: int
    false: int
    delays: tuple[float, ...]
    """Seconds from an episode's begin to its alert."""
    alerts: tuple[str, ...]
    """What fired, as ``equipment@worker`` or ``equipment@?``: two variants are alike when these are."""


def episodes(clip: Clip) -> list[Episode]:
    """Return what the alerts should find in a clip."""
    found = []
    for worker in clip.workers:
        for equipment in EQUIPMENT:
            joined: list[list[float]] = []
            for begin, end, state in worker.helmet if equipment == "helmet" else worker.vest:
                if state != "missing":
                    continue
                if joined and begin - joined[-1][1] <= JOINED:
                    joined[-1][1] = end
                else:
                    joined.append([begin, end])
            found += [Episode(worker, equipment, begin, end) for begin, end in joined if end - begin >= LEAST]
    return found


def find(folder: Path, clip: Clip) -> Path:
    """Return where a clip lies.

    Raises:
        DatasetError: it is not there, or is not the one that was watched (its sha256 differs).
    """
    path = folder / clip.clip
    try:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(path, f"can't read this clip ({error.strerror})") from error
    if found != clip.sha256:
        raise DatasetError(path, "is not the clip that was watched to make the truth (sha256)")
    return path


@dataclass(frozen=True, slots=True)
class Life:
    """One alert of a clip: when it fired, and the seconds that its box lay on each worker ("?" for nobody)."""

    alert: Alert
    fired: float
    on: Counter[str]

    @property
    def worker(self) -> str:
        """The worker it is about."""
        return self.on.most_common(1)[0][0]


def play(path: Path, clip: Clip, detector: Detector, tracker: Tracker, clock: Clock, variant: str) -> Iterator[Life]:
    """Judge a clip in its own time with the defaults; return every alert that fired, with its life."""
    fps, look = VARIANTS[variant]
    monitor = Monitor(Scene(camera="clip"), detector.model.thresholds, tracker)
    source = open_source(str(path), fps=fps, clock=clock, start_ms=0)
    lives: dict[str, Life] = {}
    try:
        while not (isinstance(happened := source.read(1.0), CameraState) and happened.status in ("ended", "offline")):
            if isinstance(happened, Frame):
                at = happened.at.seconds
                monitor.observe(detector.detect(look(happened.image)), happened.at)
                for alert in monitor.open_alerts:
                    life = lives.setdefault(alert.id, Life(alert, at, Counter()))
                    box = _mirrored(alert.box, clip.width) if variant == "mirrored" else alert.box
                    life.on[_on_whom(clip, box, at)] += 1
    finally:
        source.close()
    return iter(lives.values())


def _on_whom(clip: Clip, box: Box, at: float) -> str:
    lying = [(_overlap(worker, box, at), worker.id) for worker in clip.workers]
    overlap, worker = max(lying, default=(0.0, "?"))
    return worker if overlap >= ON_WORKER else "?"


def score(clip: Clip, variant: str, lives: Iterable[Life]) -> Score:
    """Compare what fired on a clip with what is to be seen in it."""
    wanted = episodes(clip)
    hits: dict[int, list[float]] = {index: [] for index in range(len(wanted))}
    false = 0
    fired = []
    for life in lives:
        fired.append(f"{life.alert.equipment}@{life.worker}")
        index = next((i for i, episode in enumerate(wanted) if _finds(episode, life)), None)
        if index is not None:
            hits[index].append(life.fired - wanted[index].begin)
        else:
            false += not _is_true(clip, life)
    return Score(
        clip=clip.clip,
        variant=variant,
        seconds=clip.seconds,
        episodes=len(wanted),
        found=sum(bool(delays) for delays in hits.values()),
        missed=sum(not delays for delays in hits.values()),
        doubled=sum(len(delays) - 1 for delays in hits.values() if delays),
        false=false,
        delays=tuple(round(min(delays), 2) for delays in hits.values() if delays),
        alerts=tuple(sorted(fired)),
    )


def _finds(episode: Episode, life: Life) -> bool:
    same = episode.equipment == life.alert.equipment and episode.worker.id == life.worker
    return same and episode.begin <= life.fired <= episode.end + JOINED


def _is_true(clip: Clip, life: Life) -> bool:
    """Tell whether an alert outside the episodes is still right: a span too short to be asked for."""
    return any(
        begin <= life.fired <= end and state == "missing"
        for worker in clip.workers
        if worker.id == life.worker
        for begin, end, state in (worker.helmet if life.alert.equipment == "helmet" else worker.vest)
    )


def _overlap(worker: ClipWorker, box: Box, at: float) -> float:
    outline = box_at(worker, at)
    return float(iou([outline], [box])[0, 0]) if outline is not None else 0.0


def _mirrored(box: Box, width: int) -> Box:
    x1, y1, x2, y2 = box
    return width - x2, y1, width - x1, y2


def summary(scores: list[Score]) -> dict[str, Any]:
    """Return the report: every score, false alarms an hour over clips without a violation, whether variants agree."""
    plain = [one for one in scores if one.variant == "5 fps"]
    quiet = [one for one in plain if not one.episodes]
    hours = sum(one.seconds for one in quiet) / 3600
    alike = {
        one.clip: {other.variant: other.alerts == one.alerts for other in scores if other.clip == one.clip}
        for one in plain
    }
    return {
        "clips": [{name: getattr(one, name) for name in one.__slots__} for one in scores],
        "same_alerts_as_5_fps": alike,
        "quiet_hours": round(hours, 5),
        "false_alerts_in_quiet": sum(one.false for one in quiet),
        "false_alerts_per_camera_hour_upper_95": round(3 / hours, 1)
        if hours and not any(q.false for q in quiet)
        else None,
    }
