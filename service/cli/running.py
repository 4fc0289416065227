"""One run over pictures: judge them, show how far it is, keep what was asked for, and tell the result."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from service.cli.album import Album, AlbumError
from service.cli.judging import Judged, JudgingError, Refused, Shot, judge
from service.cli.report import Report, one_line
from service.cli.terminal import err, out, refuse, say, shown
from service.ports import Detector
from service.safety.equipment import Equipment

Form: TypeAlias = Literal["table", "json", "lines"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a run is asked for.

    Attributes:
        require: what compliant means.
        every: seconds between the pictures of a video.
        confidence: smallest confidence of a reported box.
        save: where annotated pictures go; None keeps none.
        form: how the result is told.
    """

    require: tuple[Equipment, ...]
    every: float
    confidence: float = 0.25
    save: Path | None = None
    form: Form = "table"


class Advance(Protocol):
    """Says how much is done."""

    def __call__(self, outcome: Judged | Refused) -> None:
        """Take note of one outcome."""
        ...


def run(detector: Detector, shots: Iterable[Shot | Refused], wishes: Wishes, *, total: float | None) -> Report:
    """Judge all shots, then close the detector.

    Args:
        total: how many sources there are, for progress; None where nobody knows.
    """
    report = Report(wishes.require, wishes.confidence)
    album = Album(wishes.save, wishes.require, wishes.every) if wishes.save else None
    try:
        with closing(detector), album or nullcontext(), _progress(total, wishes.form) as advance:
            for outcome in judge(detector, shots):
                entry = report.add(outcome)
                if wishes.form == "lines":
                    sys.stdout.write(one_line(entry) + "\n")
                    sys.stdout.flush()
                if isinstance(outcome, Refused):
                    say(f"{shown(outcome.filename)}: {outcome.detail}")
                elif album:
                    album.add(outcome)
                advance(outcome)
    except (JudgingError, AlbumError) as error:
        refuse(str(error))
    _tell(report, detector, wishes.form)
    if album and album.written:
        say(f"Saved {_listed(album.written)} in {shown(str(album.folder))}.")
    return report


def _tell(report: Report, detector: Detector, form: Form) -> None:
    if form == "json":
        sys.stdout.write(report.document(detector.model) + "\n")
    elif form == "table" and report.judged:
        console = out()
        console.print(report.table())
        console.print(f"\n{report.summary()}", markup=False)
        for note in (*report.notes(), f"Judged by {detector.model.name} {detector.model.version}."):
            console.print(note, markup=False, style="dim")


def _listed(paths: Sequence[Path]) -> str:
    names = ", ".join(shown(path.name) for path in paths[:3])
    return names if len(paths) <= 3 else f"{names} and {len(paths) - 3} more"


@contextmanager
def _progress(total: float | None, form: Form) -> Iterator[Advance]:
    """Show on stderr, where it is a terminal, how far a run is; stdout is never touched."""
    console = err()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal or (form == "lines" and sys.stdout.isatty())
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as bar:
        task = bar.add_task("Judging", total=total)

        def advance(outcome: Judged | Refused) -> None:
            name = shown(Path(outcome.filename).name)
            bar.update(task, completed=outcome.done, description=name[:40])

        yield advance
