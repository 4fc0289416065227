"""From paths to judged pictures: files are read while the detector works on the ones before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from service.films import UnreadableFilm, open_film
from service.pictures.decode import PictureError, PictureLimits
from service.pictures.sources import SourceError, files_in, is_video, read_picture_file
from service.ports import Detector, Image
from service.safety.detections import Detections
from service.safety.wearing import Sighting, sightings

AHEAD: Final = 2
"""Pictures that are read and submitted before the oldest one's answer is waited for."""


class JudgingError(Exception):
    """The detector failed; one sentence that says how."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to judge.

    Attributes:
        path: where it is.
        place: where its result goes in a folder of results.
    """

    path: Path
    place: Path


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to judge: a file, or the moment `at` seconds into a video that has `rate` pictures a second."""

    filename: str
    place: Path
    image: Image
    at: float | None = None
    rate: float = 0.0
    done: float = 0.0
    """How many of all sources are read once this picture is, for progress."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A source that could not be judged, or not to its end."""

    filename: str
    code: str
    detail: str
    done: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A picture and what was seen on it."""

    shot: Shot
    detections: Detections
    people: tuple[Sighting, ...]

    @property
    def filename(self) -> str:
        """The file it comes from."""
        return self.shot.filename

    @property
    def done(self) -> float:
        """How many of all sources are judged once this picture is."""
        return self.shot.done


def shots_under(
    paths: Iterable[Path], limits: PictureLimits, every: float, *, recursive: bool = False, without: Path | None = None
) -> tuple[Iterator[Shot | Refused], int]:
    """Return the pictures of files and folders, and how many sources they come from.

    Args:
        every: seconds between the pictures of a video; 0 reads them all.
        recursive: search the folders in folders too.
        without: a folder to pass over.
    """
    sources, refused = sources_in(paths, recursive=recursive, without=without)
    return chain(refused, shots_of(sources, limits, every)), len(sources)


def sources_in(
    paths: Iterable[Path], *, recursive: bool = False, without: Path | None = None
) -> tuple[list[Source], list[Refused]]:
    """Return the files that paths of files and folders stand for, and the paths that stand for nothing."""
    sources: list[Source] = []
    refused: list[Refused] = []
    for path in paths:
        if not path.is_dir():
            sources.append(Source(path, Path(path.name)))
            continue
        try:
            files = files_in(path, recursive=recursive, without=without)
        except SourceError as error:
            refused.append(Refused(name_of(path), "FILE_UNREADABLE", str(error)))
            continue
        sources += [Source(file, file.relative_to(path)) for file in files]
        if not files:
            hint = "" if recursive else " (its folders are searched with --recursive)"
            refused.append(Refused(name_of(path), "NO_IMAGE", f"no picture or video lies in this folder{hint}"))
    return sources, refused


def name_of(path: Path) -> str:
    """Return a path as text that any encoding takes."""
    return os.fsencode(path).decode("utf-8", "replace")


def shots_of(sources: list[Source], limits: PictureLimits, every: float) -> Iterator[Shot | Refused]:
    """Read every picture of the sources; a source that can't be read comes as `Refused`, and the next one follows."""
    for number, source in enumerate(sources):
        name = name_of(source.path)
        try:
            if is_video(source.path):
                yield from _shots_of_video(source, name, every, number)
            else:
                image = read_picture_file(source.path, limits)
                yield Shot(name, source.place, image, done=number + 1)
        except PictureError as error:
            yield Refused(name, error.code, error.detail, done=number + 1)
        except (UnreadableFilm, SourceError) as error:
            yield Refused(name, "FILE_UNREADABLE", str(error), done=number + 1)


def _shots_of_video(source: Source, name: str, every: float, number: int) -> Iterator[Shot]:
    with closing(open_film(source.path)) as film:
        for frame in film.frames(every):
            share = min(frame.at / film.seconds, 1.0) if film.seconds else 0.0
            yield Shot(name, source.place, frame.image, round(frame.at, 3), film.rate, done=number + share)


def judge(detector: Detector, shots: Iterable[Shot | Refused]) -> Iterator[Judged | Refused]:
    """Judge pictures in their order.

    Raises:
        JudgingError: the detector failed.
    """
    waiting: deque[Refused | tuple[Shot, Future[Detections]]] = deque()
    for shot in shots:
        waiting.append(shot if isinstance(shot, Refused) else (shot, detector.submit(shot.image)))
        if len(waiting) > AHEAD:
            yield _settled(detector, waiting.popleft())
    while waiting:
        yield _settled(detector, waiting.popleft())


def _settled(detector: Detector, oldest: Refused | tuple[Shot, Future[Detections]]) -> Judged | Refused:
    if isinstance(oldest, Refused):
        return oldest
    shot, answer = oldest
    try:
        detections = answer.result()
    except RuntimeError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise JudgingError(f"the detector failed on {shot.filename}: {reason}") from error
    return Judged(shot, detections, sightings(detections, detector.model.thresholds))
