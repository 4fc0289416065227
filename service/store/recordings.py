"""Recorded detections: the last 30 minutes of each camera, packed a few seconds at a time.

A packed frame is its header (seconds, wall ms, width, height, scale, count; little endian), then the boxes and
confidences as float32 and the class ids as bytes. Where somebody was looked at more closely, the highest bit of the
count is set and each box's scale follows as float32.
"""

from __future__ import annotations

import struct
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import structlog
from sqlalchemy import Connection, delete, func, insert, or_, select

from service.safety.detections import Detections
from service.safety.moment import Moment
from service.store.observed import recordings

KEPT_MS: Final = 30 * 60_000
MOST_FRAMES: Final = 18_000
"""Frames of a camera: 30 minutes at 10 frames a second."""
MOST_BYTES: Final = 16 * 2**20
"""Packed bytes of a camera: 18,000 frames of 42 boxes."""
MOST_WAITING: Final = 2 * 2**20
"""Packed bytes of a camera that wait in memory; a disk that does not keep up costs the oldest."""
EARLY: Final = MOST_WAITING // 4
"""Packed bytes at which a camera asks to be written before its time."""
_HEADER: Final = struct.Struct("<dqIIdI")
_CLOSER: Final = 2**31
"""Added to a frame's count when the boxes' own scales follow."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    frames: deque[bytes] = field(default_factory=deque)
    size: int = 0
    last_ms: int = 0


class Recorder:
    """Takes frames at no cost worth naming and writes them when told. Safe to call from many threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = defaultdict(_Waiting)

    def add(self, camera: str, at: Moment, detections: Detections) -> bool:
        """Take a frame; return whether so much waits that it should be written soon."""
        packed = pack(at, detections)
        dropped = 0
        with self._lock:
            waiting = self._waiting[camera]
            waiting.frames.append(packed)
            waiting.size += len(packed)
            waiting.last_ms = at.wall_ms
            while waiting.size > MOST_WAITING:
                waiting.size -= len(waiting.frames.popleft())
                dropped += 1
            early = waiting.size > EARLY
        if dropped:
            log.warning("recording_dropped", camera=camera, frames=dropped)
        return early

    def write(self, connection: Connection, now_ms: int) -> None:
        """Write what waits and forget what is too old or too much."""
        with self._lock:
            taken, self._waiting = self._waiting, defaultdict(_Waiting)
        for camera, waiting in taken.items():
            row = {
                "camera": camera,
                "last_ms": waiting.last_ms,
                "written_ms": now_ms,
                "frames": len(waiting.frames),
                "size": waiting.size,
                "packed": b"".join(waiting.frames),
            }
            connection.execute(insert(recordings), row)
            _trim(connection, camera)
        # written later than now: the wall clock was set back, and its end would not come
        age = now_ms - recordings.c.written_ms
        connection.execute(delete(recordings).where(or_(age > KEPT_MS, age < -KEPT_MS)))


def _trim(connection: Connection, camera: str) -> None:
    """Keep a camera's newest rows within 30 minutes of its own time, and within what it may take."""
    query = select(recordings.c.id, recordings.c.last_ms, recordings.c.frames, recordings.c.size)
    rows = connection.execute(query.where(recordings.c.camera == camera).order_by(recordings.c.id.desc())).all()
    frames = size = 0
    for row in rows:
        frames, size = frames + row.frames, size + row.size
        if row.last_ms < rows[0].last_ms - KEPT_MS or frames > MOST_FRAMES or size > MOST_BYTES:
            connection.execute(delete(recordings).where(recordings.c.camera == camera, recordings.c.id <= row.id))
            return


def numbers(connection: Connection, camera: str) -> list[int]:
    """Return the numbers of a camera's packs, oldest first."""
    query = select(recordings.c.id).where(recordings.c.camera == camera).order_by(recordings.c.id)
    return list(connection.scalars(query))


def packed_frames(connection: Connection, number: int) -> bytes:
    """Return a pack; it is empty when it was forgotten meanwhile."""
    found: bytes | None = connection.scalar(select(recordings.c.packed).where(recordings.c.id == number))
    return found or b""


def stored_bytes(connection: Connection, camera: str) -> int:
    """Return how many packed bytes of a camera are kept."""
    query = select(func.coalesce(func.sum(recordings.c.size), 0)).where(recordings.c.camera == camera)
    return int(connection.scalar(query) or 0)


def pack(at: Moment, detections: Detections) -> bytes:
    """Pack a frame: 36 bytes, and 21 for each box (25 when somebody was looked at more closely)."""
    closer = bool((detections.seen_scale != np.float32(detections.scale)).any())
    count = len(detections) + _CLOSER * closer
    header = _HEADER.pack(at.seconds, at.wall_ms, detections.width, detections.height, detections.scale, count)
    parts = [detections.boxes.astype("<f4"), detections.confidence.astype("<f4"), detections.class_id.astype(np.uint8)]
    if closer:
        parts.append(detections.seen_scale.astype("<f4"))
    return header + b"".join(part.tobytes() for part in parts)


def unpack(packed: bytes) -> Iterator[tuple[Moment, Detections]]:
    """Yield the frames of a pack in the order in which they were packed."""
    place = 0
    while place < len(packed):
        seconds, wall_ms, width, height, scale, count = _HEADER.unpack_from(packed, place)
        place += _HEADER.size
        closer, count = count >= _CLOSER, count % _CLOSER
        boxes = np.frombuffer(packed, "<f4", 4 * count, place).reshape(-1, 4)
        confidence = np.frombuffer(packed, "<f4", count, place + 16 * count)
        class_id = np.frombuffer(packed, np.uint8, count, place + 20 * count)
        place += 21 * count
        seen_scale = np.empty(0, "<f4")
        if closer:
            seen_scale = np.frombuffer(packed, "<f4", count, place)
            place += 4 * count
        seen = Detections(boxes, confidence, class_id.astype(np.int64), width, height, scale, seen_scale)
        yield Moment(seconds, wall_ms), seen
