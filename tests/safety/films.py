"""Made-up films: who is where and wears what, frame by frame, as detections."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from service.safety.detections import Detections
from service.safety.equipment import ClassName
from service.safety.moment import Moment
from tests.safety.scenes import Row, head_of, person_at, scene, torso_of

Look = Callable[[float], list[Row]]
"""Seconds -> what is seen then."""
START_MS = 1_800_000_000_000


def moment(seconds: float) -> Moment:
    return Moment(seconds, START_MS + round(seconds * 1000))


def frames(look: Look, seconds: float, fps: float = 5.0) -> Iterator[tuple[Detections, Moment]]:
    for index in range(round(seconds * fps)):
        yield scene(*look(index / fps)), moment(index / fps)


def worker(
    x: float = 300,
    y: float = 100,
    helmet: ClassName | None = "helmet",
    vest: ClassName | None = "vest",
    confidence: float = 0.8,
) -> list[Row]:
    person = person_at(x, y, confidence=confidence)
    rows = [person]
    if helmet:
        rows.append(head_of(person, helmet))
    if vest:
        rows.append(torso_of(person, vest))
    return rows


class NearestTracker:
    """A plain tracker for films: the nearest box within half a width keeps its id; others get new ones."""

    def __init__(self) -> None:
        self._last: dict[int, NDArray[np.float64]] = {}
        self._next = 0

    def advance(self, boxes: NDArray[np.float64], confidence: NDArray[np.float64], seconds: float) -> NDArray[np.int64]:
        ids, now = [], {}
        free = dict(self._last)
        for box in boxes:
            near = [
                (float(np.abs(box - old).max()), track)
                for track, old in free.items()
                if np.abs(box - old).max() <= (box[2] - box[0]) / 2
            ]
            track = min(near)[1] if near else self._next
            self._next += not near
            free.pop(track, None)
            now[track] = box
            ids.append(track)
        self._last = now
        return np.array(ids, dtype=np.int64)
