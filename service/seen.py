"""What was seen on cameras, for who asks later: recorded detections, heights of people. Doors, as in `ports`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from service.safety.detections import Detections
from service.safety.moment import Moment


class SeenRecords(Protocol):
    """Both may raise `ports.StoreUnavailable`."""

    def recording(self, camera: str) -> Iterator[tuple[Moment, Detections]]:
        """Yield a camera's remembered frames of the last 30 minutes, in the order in which they came."""
        ...

    def heights(self, camera: str, from_ms: int, to_ms: int) -> dict[int, int]:
        """Return how many heights were seen in each 10 px bin (its lower edge in pixels), of hours in [from, to)."""
        ...
