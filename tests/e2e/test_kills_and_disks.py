"""The commands that kill the service and spoil its disk, in short: python -m benchmarks.kills, benchmarks.bad_disk."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from benchmarks import bad_disk, kills
from tests.rtsp.camera import missing_for_rtsp

pytestmark = pytest.mark.thorough


def test_kills_of_the_core_lose_and_double_nothing(tmp_path: Path) -> None:
    found = kills.core(tmp_path / "store", 12, random.Random(1))
    assert found["sound"], found


def test_a_killed_service_leaves_no_decoder_and_loses_nothing(tmp_path: Path) -> None:
    if missing := missing_for_rtsp():
        pytest.skip(missing)
    found = kills.service(tmp_path, 2, random.Random(3))
    assert found["decoders_that_outlived_it"] == 0
    assert (found["alerts_lost"], found["messages_lost"], found["integrity"]) == (0, 0, "ok")


def test_a_disk_that_fails_and_works_again_costs_no_alert(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("cc"):
        pytest.skip("needs root, to mount a tmpfs, and a C compiler (cc)")
    found = bad_disk.measure(2.0, tmp_path)
    assert found["sound"], found
