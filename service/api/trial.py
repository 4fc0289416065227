"""A camera's entry is tried: its first picture, how fast they come, and how tall people are on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from service.cameras.address import SourceError, redacted
from service.cameras.opening import FASTEST, open_source
from service.cameras.trial import PATIENCE, first_picture, pictures, rate
from service.detectors.opening import tiled
from service.pictures.annotate import annotate
from service.pictures.blur import blur, heads
from service.pictures.shrink import shrunk
from service.pictures.still import Polygon, black_out, jpeg
from service.ports import CameraCode, Clock, Detector, Frame, FrameSource, Image
from service.safety.wearing import Sighting, sightings
from service.sitefile import CameraEntry

SECONDS: Final = 4.0
"""How long a camera that works is looked at."""
EVERY: Final = 0.5
"""Seconds between two pictures that are judged."""
DETECTED: Final = 20.0
"""Seconds that a picture may take to be judged."""
WIDEST: Final = 1280
QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Trial:
    """How a camera was found.

    Attributes:
        code, detail: why there is no picture; None and "" when there is one.
        after: seconds until the first picture.
        size: width and height of its pictures.
        rate: pictures a second that came; None where they can't be counted.
        heights: of everybody on the picture that shows most people, in pixels as the model saw them, tallest first.
        scale: pixels of the whole picture as the model sees it for one of the picture.
        picture: that one, marked and without faces, as JPEG.
    """

    code: CameraCode | None = None
    detail: str = ""
    after: float | None = None
    size: tuple[int, int] | None = None
    rate: float | None = None
    heights: list[float] = field(default_factory=list)
    scale: float | None = None
    picture: bytes | None = None


def tried(entry: CameraEntry, password: str, clock: Clock, detector: Detector) -> Trial:
    """Try a camera. It takes as long as the camera, some 25 seconds at most.

    Args:
        entry: as it would stand in the site file.
        password: to log in with.
        clock: the time.
        detector: what looks at its pictures.
    """
    begun = clock.now()
    try:  # at full rate: it is to be counted
        source = open_source(entry.source, fps=FASTEST, clock=clock, user=entry.user or "", password=password)
    except SourceError as error:
        return Trial(error.code, error.detail.replace(entry.source, redacted(entry.source)))
    try:
        first = first_picture(source, clock)
        if isinstance(first, Frame):
            hidden = [zone.polygon for zone in entry.zones.values() if zone.ignore]
            return _looked_at(first, source, clock, first.at.since(begun), tiled(detector, entry.tiles), hidden)
    finally:
        source.close()
    if first is None:
        return Trial("STREAM_TIMEOUT", f"No picture came within {PATIENCE:g} s.")
    return Trial(first.code or "SOURCE_INVALID", first.detail or "It has no picture.")


def _looked_at(
    first: Frame, source: FrameSource, clock: Clock, after: float, detector: Detector, hidden: Sequence[Polygon]
) -> Trial:
    last, best = first, _seen(black_out(first.image, hidden), detector)
    judged = first
    for frame in pictures(source, clock, SECONDS):
        last = frame
        if frame.at.since(judged.at) < EVERY:
            continue
        judged = frame
        now = _seen(black_out(frame.image, hidden), detector)
        if len(now[0]) > len(best[0]):
            best = now
    people, scale, plain = best
    height, width = plain.shape[:2]
    found = rate(first, last)
    return Trial(
        after=round(max(0.0, after), 1),
        size=(width, height),
        rate=None if found is None else round(found, 1),
        heights=sorted((round(person.height, 1) for person in people), reverse=True),
        scale=round(scale, 4),
        picture=_picture(plain, people),
    )


def _seen(image: Image, detector: Detector) -> tuple[tuple[Sighting, ...], float, Image]:
    """Return who is on a picture, at which scale, and the picture without faces."""
    seen = detector.submit(image).result(DETECTED)
    return sightings(seen, detector.model.thresholds), seen.scale, blur(image, heads(seen))


def _picture(image: Image, people: tuple[Sighting, ...]) -> bytes:
    drawn = annotate(image, people)
    height, width = drawn.shape[:2]
    if width > WIDEST:
        drawn = shrunk(drawn, WIDEST, max(1, round(height * WIDEST / width)))
    return jpeg(drawn, QUALITY)
