"""Dataset cards: one TOML file a dataset that says where it comes from and what its labels mean."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PositiveFloat, ValidationError, field_validator, model_validator

from service.lab.dataset.faults import DatasetError
from service.safety.equipment import ClassName


def spelling(name: str) -> str:
    """Return a label's canonical spelling: ``NO-Safety Vest``, ``no_safety_vest`` and ``no safety-vest`` are one."""
    return re.sub(r"[\s_\-]+", "-", name.strip().casefold())


class Card(BaseModel):
    """What a dataset is, who may use it and what its label names mean here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    publisher: str
    version: str
    licence: str
    how_to_get: str
    people_labelled: bool
    addition: bool = False
    """Too small to be trained on alone: a class may be missing."""
    known_faults: tuple[str, ...] = ()
    judgement: str = ""
    """What the set is good for and what it is not, in a few sentences."""
    labels: dict[str, ClassName]
    box_heights: dict[str, PositiveFloat] = {}
    """Per label, what its boxes' heights are multiplied by, upper edge kept, to bring heads to one convention."""

    @field_validator("labels", "box_heights")
    @classmethod
    def _canonical(cls, labels: dict[str, Any]) -> dict[str, Any]:
        return {spelling(name): target for name, target in labels.items()}

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := self.box_heights.keys() - self.labels.keys():
            raise ValueError(f"box_heights names {', '.join(sorted(unknown))}, which labels does not")
        return self

    def box_height(self, label: str) -> float:
        """Return what the height of this label's boxes is multiplied by; 1 where the card says nothing."""
        return self.box_heights.get(spelling(label), 1.0)

    def as_published(self) -> Card:
        """Return the card without its change of boxes: labels as their publisher drew them."""
        return self.model_copy(update={"box_heights": {}})

    def target(self, label: str) -> ClassName | None:
        """Return the product class that `label` means, or None when the card does not name it."""
        return self.labels.get(spelling(label))


def read_card(path: Path) -> Card:
    """Read one card; its name is the file's stem.

    Raises:
        DatasetError: the file is missing, is no TOML, or a field is wrong.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        return Card(name=path.stem, **fields)
    except OSError as error:
        raise DatasetError(path, f"can't read this card ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(path, f"not valid TOML: {error}") from error
    except (ValidationError, TypeError) as error:
        raise DatasetError(path, f"not a dataset card: {error}") from error
