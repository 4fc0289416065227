"""What is wrong with a dataset, said so that a person can mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

Kind = Literal["fields", "number", "class", "edge", "range", "size", "text", "folder", "names", "picture", "file"]
"""Of a label row: its count of fields, no number, unknown class, beyond the picture's edge, no relative coordinates, no
area. Of a file: no text, a folder that is not there, a class list, a listed picture that is missing, anything else."""


class DatasetError(Exception):
    """Something in a dataset can't be read; names the file and, where there is one, the line (1-based)."""

    def __init__(self, path: Path, what: str, line: int | None = None, kind: Kind = "file") -> None:
        self.path, self.line, self.what, self.kind = path, line, what, kind
        where = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {what}")


OnFault = Callable[[DatasetError], None]
"""Takes a fault that reading can go on after: the row or the picture is left out, what lies beyond an edge is cut."""

OnNote = Callable[[str], None]
"""Takes a sentence about something that is no fault, and that whoever reads the set should know."""


def tell(fault: DatasetError, on_fault: OnFault | None) -> None:
    """Hand a fault on, or raise it where nobody takes it."""
    if on_fault is None:
        raise fault
    on_fault(fault)
