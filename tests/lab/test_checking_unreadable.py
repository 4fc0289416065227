"""Pictures that nobody can look at: each is a finding, and the check goes on to the report."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.lab.checking.borders import Borders
from service.lab.checking.check import check
from service.lab.checking.looking import open_picture
from service.lab.checking.pixels import at_scale, seams
from service.lab.checking.report import as_json, write_html
from tests.lab import sites
from tests.lab.checks import one
from tests.lab.sites import CARD, pictures

pytestmark = pytest.mark.thorough


def huge(path: Path) -> None:
    """A PNG whose head promises more pixels than OpenCV takes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def thin(path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", np.full((2, 2000, 3), 90, np.uint8))[1].tobytes())


def long(path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", np.full((12, 12_000, 3), 90, np.uint8))[1].tobytes())


def dangling(path: Path) -> None:
    path.symlink_to("/nowhere/picture.jpg")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [huge, thin, long, dangling, folder])
def test_what_nobody_can_look_at_is_a_finding_and_the_check_goes_on(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    made = sites.write_set(tmp_path / "set", train=4, valid=2)
    spoilt = pictures(made, "train")[1]
    spoilt.unlink()
    make(spoilt)
    checked = check(made, CARD)
    finding = one(checked, "unreadable-picture", "fault")
    assert finding.count == 1
    assert "can't be decoded, or are too narrow to train on" in finding.what
    assert len(checked.survey.seen) == 5
    write_html(checked, tmp_path / "check.html")
    assert as_json(checked)["pictures"] == {"train": 3, "valid": 2}


@pytest.mark.parametrize("make", [huge, dangling, folder])
def test_it_is_opened_as_nothing(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.jpg")
    assert open_picture(tmp_path / "a.jpg") is None


@pytest.mark.parametrize("shape", [(2, 2000), (2000, 2), (1, 700)])
def test_a_side_never_vanishes_by_scaling(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 90, np.uint8)
    small = at_scale(image)
    assert (min(small.shape[:2]), max(small.shape[:2])) == (1, 640)
    assert seams(np.ascontiguousarray(small[..., 0])) == (0.0, 0.0)
    assert np.isnan(Borders(image).score(np.array([[0.1, 0.1, 0.9, 0.9]]))).all()
