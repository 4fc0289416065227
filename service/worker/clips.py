"""Clips of one camera's alerts: five seconds before one fired, and five seconds after, at the frames' own times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.pictures.blur import Head, blur
from service.pictures.shrink import shrunk
from service.pictures.still import jpeg
from service.ports import Image
from service.safety.moment import Moment
from service.worker.film_writer import FilmWriter, Job
from service.worker.ring import Ring, Shot

BEFORE: Final = 5.0
AFTER: Final = 5.0
"""Seconds of a clip before and after its alert fired."""
LONGEST_SIDE: Final = 960
"""Pixels of the longer side of its pictures at most."""
_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class _Begun:
    """A clip whose alerts have fired, on one frame, and whose end is to come."""

    alerts: tuple[str, ...]
    at: Moment


class Clips:
    """Collects one camera's clips from its judged frames. The camera's loop calls it; nothing here waits or fails.

    Args:
        writer: encodes them and hands them to the store, for all cameras.
    """

    def __init__(self, camera: str, writer: FilmWriter) -> None:
        self._camera = camera
        self._writer = writer
        self._ring = Ring()
        self._begun: list[_Begun] = []

    def see(self, image: Image, faces: tuple[Head, ...], at: Moment) -> None:
        """Take one judged frame, black where zones say so, and whose faces are to go."""
        self.wait(at)
        if self._ring.wants(at):
            small, scale = _fitted(image)
            self._ring.add(Shot(at, jpeg(blur(small, faces, scale), _QUALITY)))

    def begin(self, alerts: tuple[str, ...], at: Moment) -> None:
        """Begin the clip of alerts that fired on the frame that was seen last; they get the same one."""
        if alerts:
            self._begun.append(_Begun(alerts, at))

    def wait(self, now: Moment) -> None:
        """Hand over the clips that are whole by now, and let go of old pictures, whether or not frames come."""
        while self._begun and now.since(self._begun[0].at) > AFTER:
            self._hand_over(self._begun.pop(0))
        self._ring.forget(now)

    def close(self) -> None:
        """Hand over what was collected; the last clips end with the last frame."""
        while self._begun:
            self._hand_over(self._begun.pop(0))

    def _hand_over(self, one: _Begun) -> None:
        shots = self._ring.between(one.at.seconds - BEFORE, one.at.seconds + AFTER)
        self._writer.put(Job(self._camera, one.alerts, shots))


def _fitted(image: Image) -> tuple[Image, float]:
    """Return a picture of a bounded size, and its pixels for one pixel of what it was."""
    high, wide = image.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(high, wide))
    if scale == 1.0:
        return image, scale
    return shrunk(image, max(2, round(wide * scale)), max(2, round(high * scale))), scale
