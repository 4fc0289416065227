"""What would have been judged otherwise: worked out in a process of its own, which leaves the cameras their time.

`python -m service.api.what_if` reads one line with a scene and then a recording, and writes one JSON document.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from service.safety.site import Scene

MOST_FRAMES: Final = 9000
"""Frames that are judged again: 30 minutes at 5 a second. Of more, the newest."""
PATIENCE: Final = 120.0
"""Seconds after which it is given up."""
_LEAST: Final = 10
"""How much it gives way to all else (nice)."""
_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "TZ")


class NotCompared(Exception):  # noqa: N818 - it reads as what happened
    """It came to no end, or whoever asked is gone."""


def question(recording: Iterable[str], after: Scene) -> bytes:
    """Return what the process is asked: the scene, the recording's heading, its newest frames.

    Args:
        recording: pieces of text, the first beginning with the heading.
        after: the scene to judge by instead.
    """
    heading, kept = "", deque[str](maxlen=MOST_FRAMES)
    for piece in recording:
        lines = piece.splitlines()
        if not heading:
            heading, *lines = lines
        kept.extend(lines)
    return "\n".join([after.model_dump_json(by_alias=True), heading, *kept]).encode()


async def answer(asked: bytes, gone: Callable[[], Awaitable[bool]]) -> dict[str, Any]:
    """Ask the process and return what it answers.

    Args:
        asked: of `question`.
        gone: tells whether nobody waits for the answer any more.

    Raises:
        NotCompared: it failed, took too long, or nobody waits.
    """
    async with _process() as process:
        work = asyncio.ensure_future(process.communicate(asked))
        try:
            async with asyncio.timeout(PATIENCE):
                while not (await asyncio.wait({work}, timeout=0.5))[0]:
                    if await gone():
                        raise NotCompared("nobody waits for it")
        except TimeoutError:
            raise NotCompared(f"it took longer than {PATIENCE:.0f} s") from None
        finally:
            work.cancel()
        told, _ = work.result()
    if process.returncode:
        raise NotCompared(f"it failed ({process.returncode})")
    found: dict[str, Any] = json.loads(told)
    return found


@asynccontextmanager
async def _process() -> AsyncIterator[asyncio.subprocess.Process]:
    known = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        cwd=_ROOT,
        env={**known, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**24,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main() -> None:
    """Answer the one question on stdin."""
    from service.recording import recording_of
    from service.safety.comparison import told
    from service.safety.what_if import compared
    from service.tracking.bytetrack import ByteTrack

    os.nice(_LEAST)
    scene, *lines = sys.stdin.read().splitlines()
    after = Scene.model_validate_json(scene)
    heading, frames = recording_of(lines, "recording")
    before = heading.scene or Scene(camera=heading.camera)
    json.dump(told(compared(frames, before, after, heading.thresholds, ByteTrack)), sys.stdout)


if __name__ == "__main__":
    main()
