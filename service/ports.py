"""The doors to the world. Rooms implement them, `wiring` hands them out, tests walk through them with fakes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from service.safety.detections import Detections
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
