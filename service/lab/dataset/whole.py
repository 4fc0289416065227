"""Write a folder in full or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.lab.dataset.faults import DatasetError


def refuse_unless_empty(folder: Path) -> None:
    """Make sure that nothing would be overwritten.

    Raises:
        DatasetError: `folder` holds something.
        NotADirectoryError: it is a file.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DatasetError(folder, "is not empty; give a new folder, or remove it first")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `out` that becomes `out` when the block ends well, and is removed when it does not.

    Raises:
        DatasetError: `out` holds something already.
    """
    refuse_unless_empty(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    part.mkdir()
    try:
        yield part
        part.replace(out)  # an empty folder may stand there
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
