"""What a judged film leaves behind: lines, a summary, an annotated film, a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console

from service.cli.told import alert_line, clock, unverified_event, unverified_line
from service.worker.doubts import Unverified

if TYPE_CHECKING:
    from service.events import Origin
    from service.ports import Image, Model
    from service.safety.monitor import Observation
    from service.worker.film import Watched


class Lines:
    """Prints every change as a line, for people or as the JSON that webhooks carry, and counts for a summary."""

    def __init__(self, origin: Origin, as_json: bool, console: Console) -> None:
        self._origin = origin
        self._as_json = as_json
        self._console = console
        self._fired: Counter[str] = Counter()
        self._people: set[str] = set()
        self._seconds: Counter[str] = Counter()
        self._frames = 0
        self._unverified = Unverified(origin.scene)

    def print(self, observation: Observation, width: int, height: int) -> None:
        """Take one frame's observation and print what changed."""
        from service.events import alert_message, cannot_judge_message

        self._frames += 1
        self._people.update(person.person for person in observation.people)
        for (_, equipment, state), seconds in observation.person_seconds.items():
            self._seconds[f"{equipment} {state}"] += seconds  # type: ignore[assignment]  # seconds, not a number of them
        for change in observation.alerts:
            self._fired[change.alert.equipment] += change.kind == "fired"
            if self._as_json:
                self._raw(alert_message(change, self._origin, width, height).payload)
            else:
                self._raw(alert_line(change))
        for doubt in self._unverified.begun(observation, width, height):
            self._raw(unverified_event(doubt, self._origin) if self._as_json else unverified_line(doubt))
        for about in observation.cannot_judge:
            payload = cannot_judge_message(about, self._origin).payload
            can = "can't tell" if about.begins else "can tell again"
            self._raw(payload if self._as_json else f"{clock(about.at.seconds)}  camera {can} about {about.equipment}")

    def summary(self) -> None:
        """Print what was seen over all."""
        alerts = ", ".join(f"{number} {name} missing" for name, number in sorted(self._fired.items()) if number)
        people = f"{len(self._people)} people followed"
        if self._unverified.people:
            people += f", {len(self._unverified.people)} of them unverified for a while"
        self._raw(f"{self._frames} frames, {people}, alerts: {alerts or 'none'}")
        for equipment in ("helmet", "vest"):
            worn, missing, unknown = (self._seconds[f"{equipment} {state}"] for state in ("worn", "missing", "unknown"))
            total = worn + missing + unknown
            if total:
                self._raw(
                    f"{equipment}: worn {worn:.0f}, missing {missing:.0f}, unknown {unknown:.0f} person-seconds "
                    f"(coverage {(worn + missing) / total:.0%})"
                )

    def _raw(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class CannotWrite(Exception):  # noqa: N818 - it reads as what happened
    """What a film should leave behind can't be written; one sentence."""


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{error.filename or 'an output'} can't be written ({error.strerror})") from error


class Judged:
    """Writes the annotated film and the recording of detections, where they are asked for. A context manager.

    Raises:
        CannotWrite: the disk does not take one of them.
    """

    def __init__(self, origin: Origin, model: Model, fps: float, save: Path | None, record: Path | None) -> None:
        from service.recording import Heading, write_heading

        self._origin = origin
        self._film = None
        self._recording = None
        self._open: dict[str, str] = {}
        with _writing(), ExitStack() as stack:
            if record is not None:
                self._recording = stack.enter_context(record.open("w", encoding="utf-8"))
                write_heading(
                    self._recording, Heading(origin.scene.camera, f"{model.name} {model.version}", model.thresholds)
                )
            if save is not None:
                from service.pictures.film import Film

                self._film = stack.enter_context(Film(save, fps))
            self._stack = stack.pop_all()

    def __enter__(self) -> Judged:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _writing():
            self._stack.close()

    def add(self, one: Watched) -> None:
        """Take one judged frame."""
        from service.recording import write_frame

        with _writing():
            if self._recording is not None:
                write_frame(self._recording, one.detections, one.frame.at)
            if self._film is not None:
                self._film.add(self._drawn(one), one.frame.at.seconds)

    def _drawn(self, one: Watched) -> Image:
        from service.pictures.annotate import annotate
        from service.pictures.film import draw_banner, draw_zones

        for change in one.observation.alerts:
            alert = change.alert
            if change.kind in ("fired", "updated"):
                self._open[alert.id] = f"{alert.equipment} missing since {clock(alert.since.seconds)} ({alert.zone})"
            else:
                self._open.pop(alert.id, None)
        drawn = draw_zones(one.frame.image, self._origin.scene.zones)
        drawn = annotate(drawn, tuple(person.believed() for person in one.observation.people))
        shown = list(self._open.values())[:4]
        doubtful = len(one.observation.unverified)
        first = f"{len(self._open)} open alerts{f', {doubtful} unverified' if doubtful else ''}"
        lines = [f"{clock(one.frame.at.seconds)}  {first}", *shown]
        return draw_banner(drawn, lines + [""] * (5 - len(lines)))
