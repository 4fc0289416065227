"""Which frames of a fixed camera need the detector: all while somebody is there, few of an empty scene that is still.

A picture on which nothing moved since the last judged one would be judged alike. The gate leaves no frame out while
somebody is there, and no empty scene unlooked at for longer than `EVERY`: who is there and was not seen to come is
found that late at most.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.safety.moment import Moment
from service.safety.view import Glance

EVERY: Final = 0.6
"""Seconds after which a still, empty scene is judged again: on_delay + 1 s is kept even if no motion was noticed."""
OCCUPIED: Final = 10.0
"""Seconds after the last hint of a person for which every frame is judged: occlusions last that long."""
MOVED: Final = 6
"""Grey levels by which one cell changes when something moved ..."""
STIRRED: Final = 3
"""... and by which several do when it is hard to see."""
SEVERAL: Final = 8


class MotionGate:
    """What one camera's judged frames showed. `judged` advances it."""

    def __init__(self) -> None:
        self._thumbnail: NDArray[np.int16] | None = None
        self._digest = 0
        self._judged: Moment | None = None
        self._somebody: Moment | None = None

    def needs(self, glance: Glance, at: Moment, *, occupied: bool) -> bool:
        """Tell whether a frame must be judged.

        Args:
            glance: what is kept of its picture.
            at: when it was captured.
            occupied: somebody is in front of the camera for other reasons, such as an open alert.
        """
        if occupied or self._judged is None or self._thumbnail is None:
            return True
        if not 0 <= at.since(self._judged) < EVERY - 1e-9:
            return True
        if self._somebody is not None and at.since(self._somebody) <= OCCUPIED:
            return True
        return glance.digest != self._digest and self._moved(glance, self._thumbnail)

    def judged(self, glance: Glance, at: Moment, *, somebody: bool) -> None:
        """Take that a frame was judged.

        Args:
            glance: what is kept of its picture.
            at: when it was captured.
            somebody: there was a person on it, or a hint of one.
        """
        self._thumbnail, self._digest = glance.thumbnail.astype(np.int16), glance.digest
        self._judged = at
        if somebody:
            self._somebody = at

    @staticmethod
    def _moved(glance: Glance, before: NDArray[np.int16]) -> bool:
        change = np.abs(glance.thumbnail - before)
        return bool(change.max() >= MOVED or np.count_nonzero(change >= STIRRED) >= SEVERAL)
