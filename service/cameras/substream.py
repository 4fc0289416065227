"""Is decoding a camera dearer than judging it: then its substream, which nearly every camera has, does as well.

The model sees pictures shrunk to some hundred pixels; a camera's main stream is decoded in full for that, every frame,
since none can be decoded without those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.cameras.live import LiveSource
from service.ports import Clock

LEAST: Final = 0.1
"""Cores under which decoding is nothing to speak of."""
PLENTY: Final = 1280
"""Pixels across that are worth having: what a closer look at far people still gains from."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a camera costs.

    Attributes:
        width, height: of its pictures in pixels.
        rate: frames a second that it sends, all of which are decoded.
        decoding: cores that takes.
        fps: frames a second that are judged.
        detecting: cores that takes.
        useful: pixels across that the model makes use of, tiles included.
    """

    width: int
    height: int
    rate: float
    decoding: float
    fps: float
    detecting: float
    useful: int

    @property
    def advice(self) -> str:
        """A sentence where a smaller stream would save more than judging costs; else ""."""
        wanted = max(self.useful, PLENTY)
        if self.decoding < LEAST or self.decoding <= self.detecting or max(self.width, self.height) <= 1.25 * wanted:
            return ""
        factor = wanted / max(self.width, self.height)
        return (
            f"decoding this stream of {self.width}x{self.height} at {self.rate:.0f} frames a second costs "
            f"{self.decoding:.2g} cores, judging {self.fps:g} a second {self.detecting:.2g}: use the camera's "
            f"substream, about {round(self.width * factor)}x{round(self.height * factor)}; the model sees no more of it"
        )


def is_large(width: int, height: int, useful: int) -> bool:
    """Tell whether a camera's pictures are so large that a smaller stream could do."""
    return max(width, height) > 1.25 * max(useful, PLENTY)


def decoding(source: LiveSource, clock: Clock, seconds: float) -> tuple[float, float] | None:
    """Watch a camera for some seconds; return frames a second and cores that decoding takes, or None if it stops."""
    before, begun = source.spent, clock.now()
    while (left := seconds - clock.now().since(begun)) > 0:
        source.read(left)
    after, lasted = source.spent, clock.now().since(begun)
    if before is None or after is None or after.frames <= before.frames or lasted <= 0:
        return None
    return (after.frames - before.frames) / lasted, (after.seconds - before.seconds) / lasted
