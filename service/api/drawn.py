"""A camera's last judged picture with everybody marked: drawn once for all who look, and only when somebody does."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from service.health import View
from service.pictures.annotate import annotate
from service.pictures.blur import blur, heads
from service.pictures.shrink import shrunk
from service.pictures.still import jpeg
from service.safety.inference import Box
from service.safety.wearing import Finding, Sighting

KEPT: Final = 64
"""Drawn pictures that are kept until they are drawn anew."""
QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn picture: JPEG, and what tells it from the ones before it."""

    tag: str
    content: bytes


class Drawings:
    """Draws pictures, one at a time, so that many who look take one core at most. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, bool], tuple[weakref.ref[Any], Drawing]] = OrderedDict()
        self._count = 0
        self._run = id(self) & 0xFFFFFF

    def of(self, camera: str, view: View, width: int = 0) -> Drawing:
        """Draw what a camera shows, or return what was drawn of the same picture before.

        Args:
            width: scaled down to so many pixels; 0, or more than there are: as it is.
        """
        width = width if 0 < width < view.image.shape[1] else 0
        place = camera, width, view.blurred
        with self._lock:
            source, drawn = self._kept.get(place, (None, None))
            if drawn is not None and source is not None and source() is view.image:
                return drawn
            self._count += 1
            drawn = Drawing(f'"{self._run:x}-{self._count:x}"', _draw(view, width))
            self._kept[place] = weakref.ref(view.image, lambda gone: self._forget(place, gone)), drawn
            self._kept.move_to_end(place)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return drawn

    def _forget(self, place: tuple[str, int, bool], gone: object) -> None:
        """Let a drawing go with its picture. It may be called wherever one ends, so it takes no lock."""
        if self._kept.get(place, (None, None))[0] is gone:
            self._kept.pop(place, None)


def _draw(view: View, width: int) -> bytes:
    image, people, scale = view.image, tuple(person.believed() for person in view.people), 1.0
    if width:
        scale = width / image.shape[1]
        image = shrunk(image, width, max(1, round(image.shape[0] * scale)))
        people = tuple(_scaled(person, scale) for person in people)
    if view.blurred:
        image = blur(image, heads(view.detections), scale)
    return jpeg(annotate(image, people), QUALITY)


def _scaled(person: Sighting, scale: float) -> Sighting:
    """Return a sighting on a picture of another size."""
    return replace(
        person,
        box=_times(person.box, scale),
        helmet=_on(person.helmet, scale),
        vest=_on(person.vest, scale),
    )


def _on(finding: Finding, scale: float) -> Finding:
    return finding if finding.box is None else replace(finding, box=_times(finding.box, scale))


def _times(box: Sequence[float], scale: float) -> Box:
    x1, y1, x2, y2 = (float(value) * scale for value in box)
    return x1, y1, x2, y2
