"""What was judged, told: as a table for people, or as JSON in the shapes of the HTTP answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.api.schemas import (
    FindingSchema,
    JudgedSchema,
    ModelSchema,
    PersonSchema,
    PictureSchema,
    ThresholdsSchema,
    present,
)
from service.cli.judging import Judged, Refused
from service.cli.terminal import shown
from service.ports import Model
from service.safety.equipment import Equipment

_STYLES = {"worn": "cyan", "missing": "bold red", "unknown": "yellow"}
_VERDICTS = {
    True: Text("yes", style="cyan"),
    False: Text("NO", style="bold red"),
    None: Text("unknown", style="yellow"),
}


_COLUMNS = (("Person", 6), ("Height", 11), ("Helmet", 24), ("Vest", 24), ("Compliant", 9))
"""Headings and widths, which hold for all pictures: together they fit into 80 columns."""


class Report:
    """Collects outcomes; nothing of a picture is kept but its people.

    Args:
        require: what compliant means.
        confidence: smallest confidence of a reported box; states never depend on it.
    """

    def __init__(self, require: Sequence[Equipment], confidence: float) -> None:
        self._require, self._confidence = tuple(require), confidence
        self._entries: list[dict[str, Any]] = []
        self._pictures: list[tuple[str, PictureSchema]] = []
        self.refused = 0

    def add(self, outcome: Judged | Refused) -> dict[str, Any]:
        """Take in one outcome and return its JSON entry."""
        index = len(self._entries)
        if isinstance(outcome, Refused):
            self.refused += 1
            error = {"code": outcome.code, "detail": outcome.detail}
            entry: dict[str, Any] = {"index": index, "filename": outcome.filename, "error": error}
        else:
            shot = outcome.shot
            picture = present(outcome.detections, outcome.people, require=self._require, floor=self._confidence)
            entry = JudgedSchema.of(index, shot.filename, picture).model_dump(mode="json", by_alias=True)
            if shot.at is not None:
                entry = {"index": index, "filename": shot.filename, "at_s": shot.at, **entry}
            self._pictures.append((shot.filename if shot.at is None else f"{shot.filename} {_clock(shot.at)}", picture))
        self._entries.append(entry)
        return entry

    @property
    def judged(self) -> int:
        """How many pictures were judged."""
        return len(self._pictures)

    def document(self, model: Model) -> str:
        """Return everything as one JSON document."""
        return one_line(
            {
                "images": self._entries,
                "model": ModelSchema.of(model).model_dump(mode="json"),
                "thresholds": ThresholdsSchema.of(model.thresholds).model_dump(mode="json"),
            }
        )

    def table(self) -> Group:
        """Return a row for every person, below the name of their picture."""
        parts: list[RenderableType] = [_rows([[Text(heading, style="bold") for heading, _ in _COLUMNS]])]
        for name, picture in self._pictures:
            parts.append(Text(shown(name), style="underline", overflow="fold"))
            people = [_cells(person) for person in picture.people]
            parts.append(_rows(people) if people else Text("nobody seen", style="dim"))
        return Group(*parts)

    def summary(self) -> str:
        """Return the counts over all pictures in one sentence."""
        counts = [picture.summary for _, picture in self._pictures]
        people = sum(count.people for count in counts)
        return (
            f"{_some(len(counts), 'picture', 'pictures')}, {_some(people, 'person', 'people')}: "
            f"{sum(count.compliant for count in counts)} compliant, "
            f"{sum(count.not_compliant for count in counts)} not compliant, "
            f"{sum(count.undecided for count in counts)} unknown; "
            f"helmet missing {sum(count.helmet_missing for count in counts)}, "
            f"vest missing {sum(count.vest_missing for count in counts)}."
        )

    def notes(self) -> list[str]:
        """Return what the table's signs mean."""
        notes = ["Height: pixels in the picture (as the model saw them, which is what thresholds speak of)."]
        if any(person.box_inferred for _, picture in self._pictures for person in picture.people):
            notes.append("*: only their equipment was seen; the box is estimated from it.")
        return notes


def one_line(document: dict[str, Any]) -> str:
    """Return a document as one line of JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _rows(rows: Iterable[Sequence[RenderableType]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    for _, width in _COLUMNS:
        table.add_column(width=width, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _cells(person: PersonSchema) -> list[RenderableType]:
    number = Text(f"#{person.id}" + ("*" if person.box_inferred else ""))
    height = Text(f"{person.source_height_px:.0f} ({person.height_px:.0f})")
    return [number, height, _state(person.helmet), _state(person.vest), _VERDICTS[person.compliant]]


def _state(finding: FindingSchema) -> Text:
    detail = f"({finding.reason.replace('_', ' ')})" if finding.reason else f"{finding.confidence:.2f}"
    return Text(f"{finding.state} {detail}", style=_STYLES[finding.state])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _some(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
