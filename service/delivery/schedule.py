"""When a message that was not taken is tried again. Pure: the same message and attempt give the same time.

The messages of a camera leave in order, so the newest alert waits behind the oldest: the gap between two attempts is
how long a receiver that came back may wait for its news. Gaps therefore stop growing at 15 minutes.
"""

from __future__ import annotations

import hashlib
from itertools import repeat
from typing import Final

GAPS: Final[tuple[float, ...]] = (5.0, 15.0, 30.0, *repeat(60.0, 14), *repeat(300.0, 9), *repeat(900.0, 284))
"""Seconds from one attempt to the next: a minute for the first quarter of an hour, three days in all."""
JITTER: Final = 0.2
LONGEST: Final = 3600.0
"""Longest wait in seconds that a receiver can ask for."""


def next_ms(message: str, attempts: int, at_ms: int, retry_after: float | None = None) -> int | None:
    """Return when to try again, as Unix milliseconds, or None: the message is dead.

    Args:
        message: the message's id; gaps are spread by +-20 % of it and of the attempt.
        attempts: failed attempts, the last one included.
        at_ms: when the last one failed.
        retry_after: seconds that the receiver asked to wait; taken from the gap up to an hour.
    """
    if attempts < 1:
        raise ValueError(f"something failed to be tried again, yet attempts is {attempts}")
    if attempts > len(GAPS):
        return None
    gap = GAPS[attempts - 1] * (1 + JITTER * _spread(message, attempts))
    wait = gap if retry_after is None else max(gap, min(retry_after, LONGEST))
    return at_ms + round(1000 * wait)


def _spread(message: str, attempts: int) -> float:
    """Return a number from -1 to 1."""
    digest = hashlib.sha256(f"{message}|{attempts}".encode()).digest()
    return int.from_bytes(digest[:8]) / (2**63) - 1
