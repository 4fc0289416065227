"""bfloat16 on a CPU: whether it multiplies it natively, and how ultralytics' trainer is brought to use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def cpu_autocast(wanted: bool) -> Iterator[None]:
    """Give ultralytics' trainer a bfloat16 autocast for the CPU, which its own ``amp`` refuses there."""
    if not wanted:
        yield
        return
    import torch
    from ultralytics.engine import trainer as module

    original = module.autocast
    module.autocast = lambda *_args, **_kwargs: torch.autocast("cpu", dtype=torch.bfloat16)
    try:
        yield
    finally:
        module.autocast = original


def cpu_has_bf16() -> bool:
    """Tell whether this CPU multiplies bfloat16 natively (Linux only; elsewhere False)."""
    with contextlib.suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
