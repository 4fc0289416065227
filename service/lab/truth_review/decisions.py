"""What was decided by looking at a picture: one JSON row a decision, kept beside the truth it leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.lab.dataset.faults import DatasetError
from service.lab.truth_review.rule import Box

Judgement = Literal["worn", "missing", "not_judgeable"]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    picture: str
    box: Box  # of the labelled person or item it speaks of, to a tenth of a pixel; of an added person by eye
    why: str = Field(min_length=3)


class JudgedPerson(_Row):
    """A labelled person: what is worn and missing on them; overrules the labels."""

    kind: Literal["person"]
    helmet: Judgement
    vest: Judgement


class AddedPerson(_Row):
    """A person whom anybody sees and the labels leave out."""

    kind: Literal["added"]
    helmet: Judgement
    vest: Judgement


class NoPerson(_Row):
    """A person label that is no person of its own: a second box on somebody, a picture of a person, nothing at all."""

    kind: Literal["no_person"]


class IgnoredItem(_Row):
    """An item label that fits no person and brings nobody into the truth."""

    kind: Literal["ignored_item"]


Decision = Annotated[JudgedPerson | AddedPerson | NoPerson | IgnoredItem, Field(discriminator="kind")]
_ROW: TypeAdapter[Decision] = TypeAdapter(Decision)


def read_decisions(path: Path) -> list[Decision]:
    """Read a decisions file, in its order.

    Raises:
        DatasetError: the file can't be read, a row is wrong, or two rows speak of one box; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"can't read these decisions ({error})") from error
    decisions: list[Decision] = []
    seen: dict[tuple[str, str, Box, bool], int] = {}
    for number, line in enumerate(lines, start=1):
        try:
            decision = _ROW.validate_json(line)
        except ValidationError as error:
            raise DatasetError(path, f"not a decision: {error}", number) from error
        # A head that fills its person's box may carry the same box as an item and as a person.
        key = (decision.source, decision.picture, decision.box, isinstance(decision, IgnoredItem))
        if key in seen:
            raise DatasetError(path, f"decides the same box as line {seen[key]}", number)
        seen[key] = number
        decisions.append(decision)
    return decisions
