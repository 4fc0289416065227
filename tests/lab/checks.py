"""What the tests of the dataset check ask of a check, and faults that several of them plant."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from service.lab.checking.check import Checked
from service.lab.checking.findings import Code, Finding, Level
from service.ports import Image
from tests.lab.sites import pictures, rows_of


def found(checked: Checked, code: Code) -> list[Finding]:
    return [finding for finding in checked.findings if finding.code == code]


def one(checked: Checked, code: Code, level: Level) -> Finding:
    (finding,) = found(checked, code)
    assert finding.level == level
    return finding


def serious(checked: Checked) -> list[str]:
    return [finding.code for finding in checked.findings if finding.level != "note"]


def leak(folder: Path, paint: Callable[[Image], Image]) -> None:
    source = pictures(folder, "train")[1]
    image = cv2.imread(str(source))
    assert image is not None
    target = folder / "valid" / "images" / "other.jpg"
    cv2.imwrite(str(target), paint(image.astype(np.uint8)))
    shutil.copyfile(rows_of(source), rows_of(target))


def cut_out(image: Image) -> Image:
    for x, y in ((100, 50), (300, 200), (200, 400)):
        image[y : y + 14, x : x + 14] = 0
    return image
