"""The entries of a COCO json, asked for their fields one by one: a fault names the entry and the key."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.lab.dataset.faults import DatasetError, Kind, OnFault, tell

Id = int | float | str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list: an image, a category or an annotation.

    Attributes:
        path: the json file.
        what: what it is, for messages.
        place: where it stands in its list (from 1), for one that has no id.
        kind: of the faults that leave it out.
        fields: as they were read.
    """

    path: Path
    what: str
    place: int
    kind: Kind
    fields: Mapping[str, Any]

    def fault(self, said: str, kind: Kind | None = None) -> DatasetError:
        """Return a fault of this entry."""
        own, name = self.fields.get("id"), self.fields.get("file_name")
        called = f"{self.what} {own}" if isinstance(own, Id) else f"{self.what} number {self.place}"
        called += f" ({name!r})" if isinstance(name, str) else ""
        return DatasetError(self.path, f"{called}: {said}", kind=kind or self.kind)

    def identity(self, key: str) -> Id:
        """Return an id, its own or that of another entry.

        Raises:
            DatasetError: it is not there, or nothing that can be one.
        """
        value = self._field(key)
        if not isinstance(value, Id):
            raise self._unfit(key, "a number or a text")
        return value

    def text(self, key: str) -> str:
        """Return a text.

        Raises:
            DatasetError: it is not there, or no text.
        """
        value = self._field(key)
        if not isinstance(value, str):
            raise self._unfit(key, "a text")
        return value

    def length(self, key: str) -> float:
        """Return a number above 0.

        Raises:
            DatasetError: it is not there, or another thing.
        """
        value = _number(self._field(key))
        if value is None or value <= 0:
            raise self._unfit(key, "a number above 0")
        return value

    def four(self, key: str) -> tuple[float, float, float, float]:
        """Return four numbers.

        Raises:
            DatasetError: they are not there, or other things.
        """
        value = self._field(key)
        x, y, w, h = map(_number, value) if isinstance(value, list) and len(value) == 4 else (None,) * 4
        if x is None or y is None or w is None or h is None:
            raise self._unfit(key, "four numbers")
        return x, y, w, h

    def _field(self, key: str) -> Any:
        if key not in self.fields:
            raise self.fault(f"lacks {key}")
        return self.fields[key]

    def _unfit(self, key: str, expected: str) -> DatasetError:
        return self.fault(f"{key}: expected {expected}, got {_short(self.fields[key])}")


def entries(
    path: Path, document: Mapping[str, Any], key: str, what: str, kind: Kind, on_fault: OnFault | None
) -> Iterator[Entry]:
    """Yield the entries of one list of a COCO json; what is no object is told.

    Raises:
        DatasetError: there is no such list.
    """
    listed = document.get(key)
    if not isinstance(listed, list):
        raise DatasetError(path, f"not COCO json as expected: {key} is no list")
    for place, fields in enumerate(listed, start=1):
        if isinstance(fields, dict):
            yield Entry(path, what, place, kind, fields)
        else:
            said = f"{what} number {place}: expected an object, got {_short(fields)}"
            tell(DatasetError(path, said, kind=kind), on_fault)


def _number(value: object) -> float | None:
    """Return a finite number, written as a number or as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _short(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 80 else f"{written[:77]}..."
