"""Sums by camera and hour: person-seconds by zone and state, and a histogram of heights."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from service.safety.coverage import PersonSeconds
from service.safety.equipment import Equipment, State
from service.safety.moment import Moment
from service.store.observed import heights, person_seconds
from service.store.portable import insert

HOUR_MS: Final = 3_600_000
BIN: Final = 10
"""Pixels of height in one bin."""
_SECONDS: Final = insert(person_seconds)
_HEIGHTS: Final = insert(heights)
_ADD_SECONDS: Final = _SECONDS.on_conflict_do_update(
    index_elements=list(person_seconds.primary_key),
    set_={"seconds": person_seconds.c.seconds + _SECONDS.excluded.seconds},
)
_ADD_HEIGHTS: Final = _HEIGHTS.on_conflict_do_update(
    index_elements=list(heights.primary_key), set_={"people": heights.c.people + _HEIGHTS.excluded.people}
)


@dataclass(slots=True)
class _Sums:
    seconds: Counter[tuple[str, int, str, Equipment, State]]
    people: Counter[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class HourOf:
    """Person-seconds of one hour (its start in Unix ms, UTC) in one state of one equipment in one zone."""

    hour_ms: int
    zone: str
    equipment: Equipment
    state: State
    seconds: float


class Counts:
    """Adds up in memory and writes when told. Safe to call from many threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = _Sums(Counter(), Counter())

    def add(self, camera: str, at: Moment, seconds: PersonSeconds, pixels: Sequence[float]) -> None:
        """Add a frame's person-seconds and its people's heights in pixels.

        Raises:
            ValueError: a value is negative or no number; nothing is added.
        """
        refuse_strange_amounts(seconds, pixels)
        hour = at.wall_ms // HOUR_MS * HOUR_MS
        with self._lock:
            for key, value in seconds.items():
                self._sums.seconds[camera, hour, *key] += value  # type: ignore[assignment]  # of seconds
            self._sums.people.update((camera, hour, int(height // BIN)) for height in pixels)

    def take(self) -> _Sums:
        """Return the sums since the last take and begin anew."""
        with self._lock:
            taken, self._sums = self._sums, _Sums(Counter(), Counter())
        return taken

    def give_back(self, taken: _Sums) -> None:
        """Add sums that could not be written, for the next time."""
        with self._lock:
            self._sums.seconds.update(taken.seconds)
            self._sums.people.update(taken.people)


def refuse_strange_amounts(seconds: PersonSeconds, pixels: Sequence[float]) -> None:
    """Raise ValueError when a value is negative or no number."""
    if not all(math.isfinite(value) and value >= 0 for value in (*seconds.values(), *pixels)):
        raise ValueError(f"seconds and heights must be numbers from 0 on, got {seconds} and {list(pixels)}")


def write(connection: Connection, sums: _Sums) -> None:
    """Add sums to what is kept."""
    seconds = [
        {"camera": camera, "hour_ms": hour, "zone": zone, "equipment": equipment, "state": state, "seconds": value}
        for (camera, hour, zone, equipment, state), value in sums.seconds.items()
    ]
    people = [
        {"camera": camera, "hour_ms": hour, "bin": low, "people": value}
        for (camera, hour, low), value in sums.people.items()
    ]
    for statement, rows in ((_ADD_SECONDS, seconds), (_ADD_HEIGHTS, people)):
        if rows:
            connection.execute(statement, rows)


def seconds_of(connection: Connection, camera: str, from_ms: int, to_ms: int) -> list[HourOf]:
    """Return a camera's person-seconds of the hours that start in [from_ms, to_ms)."""
    columns = person_seconds.c
    query = (
        select(columns.hour_ms, columns.zone, columns.equipment, columns.state, columns.seconds)
        .where(columns.camera == camera, columns.hour_ms >= from_ms, columns.hour_ms < to_ms)
        .order_by(columns.hour_ms, columns.zone, columns.equipment, columns.state)
    )
    return [HourOf(*row) for row in connection.execute(query)]


def heights_of(connection: Connection, camera: str, from_ms: int, to_ms: int) -> dict[int, int]:
    """Return how many heights were seen in each 10 px bin (its lower edge in pixels), hours in [from_ms, to_ms)."""
    columns = heights.c
    query = (
        select(columns.bin, columns.people)
        .where(columns.camera == camera, columns.hour_ms >= from_ms, columns.hour_ms < to_ms)
        .order_by(columns.bin)
    )
    found: Counter[int] = Counter()
    for low, people in connection.execute(query):
        found[low * BIN] += people
    return dict(found)
