"""What is wrong with a dataset, said so that a person can mend it."""

from __future__ import annotations

from pathlib import Path


class DatasetError(Exception):
    """Something in a dataset can't be read; names the file and, where there is one, the line (1-based)."""

    def __init__(self, path: Path, what: str, line: int | None = None) -> None:
        self.path, self.line, self.what = path, line, what
        where = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {what}")
