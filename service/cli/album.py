"""Annotated pictures and videos, written into one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from service.cli.judging import Judged
from service.pictures.annotate import annotate
from service.pictures.film import Film
from service.pictures.still import jpeg
from service.ports import Image
from service.safety.equipment import Equipment

_QUALITY = 92


class AlbumError(Exception):
    """A result can't be written; one sentence that says which and why."""


class Album:
    """A folder of results. Use it as a context manager, so that the last video is closed.

    Args:
        folder: where they go; it is made when the first one is written.
        require: what compliant means.
        every: seconds between the pictures of a video; 0 when all of them are judged.
    """

    def __init__(self, folder: Path, require: Sequence[Equipment], every: float) -> None:
        self.folder = folder
        self.written: list[Path] = []
        self._require = tuple(require)
        self._every = every
        self._video: tuple[str, Film] | None = None

    def __enter__(self) -> Album:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_video()

    def add(self, judged: Judged) -> None:
        """Draw one judged picture and keep it: as a JPEG, or as the next picture of its video.

        Raises:
            AlbumError: it can't be written.
        """
        drawn = annotate(judged.shot.image, judged.people, require=self._require)
        try:
            if judged.shot.at is None:
                self._end_video()
                self._path(judged.shot.place, ".jpg").write_bytes(jpeg(drawn, _QUALITY))
            else:
                self._film(judged, drawn)
        except OSError as error:
            raise AlbumError(f"{error.filename or self.folder}: can't be written ({error.strerror})") from error

    def _path(self, place: Path, suffix: str) -> Path:
        """Return a path that nothing in this run was written to."""
        wanted = self.folder / place.with_suffix(suffix)
        path, number = wanted, 2
        while path in self.written:
            path, number = wanted.with_stem(f"{wanted.stem}-{number}"), number + 1
        path.parent.mkdir(parents=True, exist_ok=True)
        self.written.append(path)
        return path

    def _film(self, judged: Judged, drawn: Image) -> None:
        shot = judged.shot
        if self._video is None or self._video[0] != shot.filename or shot.at == 0:
            self._end_video()
            path = self._path(shot.place, ".mp4")
            rate = 1 / self._every if self._every else shot.rate or 25.0
            self._video = shot.filename, Film(path, rate)
        self._video[1].add(drawn)

    def _end_video(self) -> None:
        if self._video is not None:
            self._video[1].close()
            self._video = None
