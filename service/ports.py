"""The doors to the world. Rooms implement them, `wiring` hands them out, tests walk through them with fakes."""

# ruff: noqa: PLC0414 - the doors of what leaves are handed on from `outgoing`, where they are described
from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from service.outgoing import OFFLINE as OFFLINE
from service.outgoing import Attempt as Attempt
from service.outgoing import Condition as Condition
from service.outgoing import Delivery as Delivery
from service.outgoing import Endpoint as Endpoint
from service.outgoing import EventType as EventType
from service.outgoing import Group as Group
from service.outgoing import Letter as Letter
from service.outgoing import Message as Message
from service.outgoing import Notices as Notices
from service.outgoing import Outbox as Outbox
from service.outgoing import Poster as Poster
from service.outgoing import PostKind as PostKind
from service.outgoing import PostMade as PostMade
from service.outgoing import Sender as Sender
from service.outgoing import Standing as Standing
from service.outgoing import Subject as Subject
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import PersonSeconds
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.safety.thresholds import Thresholds

Image = NDArray[np.uint8]
"""An upright picture: (height, width, 3) uint8, blue green red."""


class Model(BaseModel):
    """The weights that a detector runs, as it answers for them."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    sha256: str
    thresholds: Thresholds


class Detector(Protocol):
    """Image in, detections out. Safe to call from many threads at once."""

    @property
    def model(self) -> Model:
        """The weights that run."""
        ...

    def submit(self, image: Image) -> Future[Detections]:
        """Start detecting on `image`; the future resolves to what was seen, at the reporting floor of 0.05.

        Raises:
            ValueError: `image` is no (h, w, 3) uint8 array.
            DetectorClosed: after `close`.
        """
        ...

    def detect(self, image: Image) -> Detections:
        """Detect on `image` and wait for the answer."""
        ...

    def close(self) -> None:
        """Finish what runs, refuse what comes and free the engine. Idempotent."""
        ...


class DetectorClosed(RuntimeError):  # noqa: N818 - it reads as what happened
    """The detector was closed and takes no more images."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a camera.

    Attributes:
        image: what it shows.
        at: when it was captured (live: when it arrived, on the monotonic clock; a file: its position).
        number: counts the source's frames, dropped ones included.
    """

    image: Image
    at: Moment
    number: int


CameraStatus = Literal["connecting", "live", "offline", "ended", "frozen", "blind", "moved"]
"""A source tells the first four; the others are of a live camera that does not see, or sees another place."""
CameraCode = Literal[
    "STREAM_CONNECTION_FAILED",
    "STREAM_AUTH_FAILED",
    "STREAM_NOT_FOUND",
    "STREAM_TIMEOUT",
    "STREAM_STALLED",
    "STREAM_LOST",
    "SOURCE_UNAVAILABLE",
    "SOURCE_INVALID",
    "SOURCE_REFUSED",
    "DECODER_CRASHED",
]
"""Why a camera is offline: a closed list."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """A camera's connection changed. `code` says why when it is offline; `detail` never holds a credential."""

    status: CameraStatus
    at: Moment
    code: CameraCode | None = None
    detail: str = ""


Priority = Literal["low", "normal", "high"]
"""Which cameras are served first by a detector that can't keep up with all of them."""


class FrameSource(Protocol):
    """Frames come in. Owned and read by one thread."""

    def read(self, wait: float) -> Frame | CameraState | None:
        """Return what happened next: a frame newer than the last one, or a change of state; None after `wait` seconds.

        A live source hands out its newest frame and drops what was not asked for in time; a recorded one hands out
        every frame that is due at the wanted rate, in order, as fast as it is read, and then ``ended``. After ``ended``
        it returns None at once.
        """
        ...

    def close(self) -> None:
        """Stop and free everything, child processes included, within a few seconds. Idempotent."""
        ...


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> Moment:
        """Return the present on both clocks."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Still:
    """An evidence picture of an alert, encoded as JPEG."""

    alert: str
    kind: Literal["annotated", "clean", "crop"]
    jpeg: bytes


class StoreUnavailable(RuntimeError):  # noqa: N818 - it reads as what happened
    """The store can't do what was asked just now; nothing of the call is kept, and it may be made again."""


class EventStore(Protocol):
    """What happened is kept. `record` returned: it is committed, and a loss of power does not undo it.

    `touch` is committed too, but its newest may be undone by a loss of power; what `count` and `remember` take may wait
    some seconds in memory.
    """

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
        """Keep alert changes with their evidence and put their messages into the outbox of every endpoint.

        The stills are on disk (written to a temporary name, synced, renamed) before the rows are committed.
        A change or message that is kept already is not kept twice.

        Args:
            clips: the alerts of `changes` that a clip will come of, or word that there is none: see `ClipStore`.
        """
        ...

    def open_alerts(self, camera: str, *, lost_since_ms: int | None = None) -> list[Alert]:
        """Return a camera's open alerts, as last recorded (their `seconds` are of the run that recorded them).

        Args:
            camera: the camera's id.
            lost_since_ms: also those that ended as lost_sight and were last seen then or later (Unix milliseconds).
        """
        ...

    def cameras_with_open_alerts(self) -> list[str]:
        """Return the ids of the cameras that have open alerts, sorted."""
        ...

    def conditions(self, camera: str) -> frozenset[str]:
        """Return the names of a camera's conditions that some endpoint was sent the beginning of, and no end yet.

        A condition changes in the transaction that puts its message into the outbox.
        """
        ...

    def touch(self, alerts: Sequence[Alert]) -> None:
        """Keep where and when open alerts were last seen, so that a restart finds their people again."""
        ...

    def count(self, camera: str, at: Moment, seconds: PersonSeconds, heights: Sequence[float]) -> None:
        """Add to a camera's person-seconds by zone and hour and to its histogram of heights (10 px bins)."""
        ...

    def remember(self, camera: str, at: Moment, detections: Detections) -> None:
        """Keep a frame's detections for replays: the last 30 minutes, bounded in size."""
        ...

    def close(self) -> None:
        """Flush and close. Idempotent."""
        ...


class ClipStore(Protocol):
    """Clips of alerts are kept, some seconds after their alerts. Both methods raise StoreUnavailable.

    They do so as well of an alert that is not recorded yet; of one that nobody promised a clip of, or whose evidence
    was removed since, nothing is kept.
    """

    def keep_clip(self, alert: str, write: Callable[[Path], object]) -> None:
        """Keep an alert's clip: `write` writes it, as MP4, to the path that it is given.

        Whatever it raises, and a disk that is full, costs the clip and nothing else: it is noted why there is none.
        """
        ...

    def no_clip(self, alert: str, why: str) -> None:
        """Note why there is no clip of an alert, in a sentence."""
        ...
