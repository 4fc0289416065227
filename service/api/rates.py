"""How often one key may ask: a token bucket each, filled by the clock."""

from __future__ import annotations

from dataclasses import dataclass

from service.ports import Clock


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """Counts requests by key. A key may use a minute's requests at once, and then as they come back.

    Args:
        per_minute: requests a minute of one key; 0 counts nothing.
        clock: the present.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, key: str) -> float:
        """Count a request of a key; return 0, or the seconds until one is taken again (it is then not counted)."""
        if not self._most:
            return 0.0
        now, a_second = self._clock.now().seconds, self._most / 60
        bucket = self._buckets.setdefault(key, _Bucket(self._most, now))
        bucket.left = min(self._most, bucket.left + max(now - bucket.at, 0.0) * a_second)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / a_second
        bucket.left -= 1
        return 0.0
