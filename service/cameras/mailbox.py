"""The newest picture of a camera, handed from its decoder process to the service through shared memory.

Three slots and a sequence number: the writer fills a slot and then publishes its number; the reader copies the
published slot and looks at the number again. While it copies, the writer may finish one more picture and begin the
next, which go to the two other slots; only when two were published meanwhile may the copied slot have been written to.

The memory has no name (memfd): nothing is left when the processes die, however they die, and the size of /dev/shm does
not limit it. What is spare is looked at before any is taken: the kernel ends processes, and not only the one that asked
for too much, when there is none left.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

SLOTS: Final = 3
PIXELS: Final = 50_000_000
_HEADER: Final = 4096
_TRIES: Final = 20
_GROUPS: Final = (  # as a container sees its own
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


class NoRoom(Exception):  # noqa: N818 - it reads as what happened
    """There is too little memory for the pictures of a camera."""


def spare_memory() -> int:
    """Return how many bytes this process may still take: the machine's, or what its control group leaves."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    spare = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    for most, taken in _GROUPS:
        with contextlib.suppress(OSError, ValueError):  # no such kind of group, or "max"
            spare = min(spare, int(Path(most).read_text()) - int(Path(taken).read_text()))
    return spare


@dataclass(frozen=True, slots=True)
class Taken:
    """A copy of the newest picture.

    Attributes:
        image: (height, width, 3) uint8, blue green red.
        sequence: counts the pictures of the mailbox from 1.
        number: counts the decoder's frames, those that were not handed out included.
        age: seconds since it was captured.
    """

    image: NDArray[np.uint8]
    sequence: int
    number: int
    age: float


class Mailbox:
    """Shared memory for pictures of one size; one process writes, one reads.

    Args:
        memory: file descriptor of the memory; the mailbox owns it from now on.
        bell: file descriptor of an eventfd that rings for every picture; owned too.
        width: pixels of a row.
        height: rows.
    """

    def __init__(self, memory: int, bell: int, width: int, height: int) -> None:
        self.memory = memory
        self.bell = bell
        self.width = width
        self.height = height
        self._map = mmap.mmap(memory, _size(width, height))
        self._counts = np.frombuffer(self._map, np.int64, 2 + SLOTS)  # sequence, frames grabbed, number of each slot
        self._times = np.frombuffer(self._map, np.float64, 1 + SLOTS, 1024)  # last sign of life, capture of each slot
        self.slots = np.frombuffer(self._map, np.uint8, SLOTS * width * height * 3, _HEADER).reshape(
            SLOTS, height, width, 3
        )

    @staticmethod
    def made(width: int, height: int, spare: Callable[[], int] = spare_memory) -> Mailbox:
        """Reserve the memory for pictures of a size.

        Args:
            width: pixels of a row.
            height: rows.
            spare: says how many bytes may be taken.

        Raises:
            NoRoom: there is too little, or no camera has such pictures.
        """
        size = _size(width, height)
        if width * height > PIXELS or size > spare():
            raise NoRoom(f"{size / 2**20:.0f} MiB of memory for pictures of {width}x{height} are not there")
        memory = os.memfd_create("ppe-camera", os.MFD_CLOEXEC)
        try:
            os.posix_fallocate(memory, 0, size)
            return Mailbox(memory, os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK), width, height)
        except OSError:
            os.close(memory)
            raise

    def room(self) -> NDArray[np.uint8]:
        """Return the slot that the next picture may be decoded into."""
        slot: NDArray[np.uint8] = self.slots[(int(self._counts[0]) + 1) % SLOTS]
        return slot

    def publish(self, number: int, captured: float) -> None:
        """Tell the reader that `room` holds a picture now."""
        sequence = int(self._counts[0]) + 1
        self._counts[2 + sequence % SLOTS] = number
        self._times[1 + sequence % SLOTS] = captured
        self._counts[0] = sequence
        os.eventfd_write(self.bell, 1)

    def beat(self, number: int, at: float) -> None:
        """Tell that frame `number` was decoded, handed out or not."""
        self._counts[1] = number
        self._times[0] = at

    @property
    def heard(self) -> float:
        """When a frame was decoded last, in seconds of the monotonic clock; 0 for none yet."""
        return float(self._times[0])

    @property
    def grabbed(self) -> int:
        """The number of the frame that was decoded last."""
        return int(self._counts[1])

    def take(self, after: int) -> Taken | None:
        """Return the newest picture, or None when there is none newer than the sequence `after`."""
        for _ in range(_TRIES):
            sequence = int(self._counts[0])
            if sequence <= after:
                return None
            slot = sequence % SLOTS
            number, captured = int(self._counts[2 + slot]), float(self._times[1 + slot])
            image = self.slots[slot].copy()
            if int(self._counts[0]) - sequence < SLOTS - 1:
                return Taken(image, sequence, number, time.monotonic() - captured)
        return None  # the writer laps every copy: the caller asks again at the next ring

    def hush(self) -> None:
        """Silence the bell until the next picture."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.bell)

    def close(self) -> None:
        """Give the memory back. Idempotent."""
        if self.memory < 0:
            return
        del self._counts, self._times, self.slots  # the map can't be closed while something looks into it
        self._map.close()
        os.close(self.memory)
        os.close(self.bell)
        self.memory = self.bell = -1


def _size(width: int, height: int) -> int:
    return _HEADER + SLOTS * width * height * 3
