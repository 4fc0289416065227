"""A queue of two endpoints leaves whole, as the benchmark counts it; how fast is measured elsewhere."""

from __future__ import annotations

from benchmarks.outbox_drain import measure


def test_a_queue_leaves_whole() -> None:
    result = measure(60, 3, 2)
    assert (result["lost"], result["doubled"], result["left"]) == (0, 0, 0)
