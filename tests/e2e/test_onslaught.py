"""The commands that attack the service, in short: python -m benchmarks.onslaught, benchmarks.forbidden."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import onslaught
from benchmarks.exposed import exposed
from tests.conftest import ROOT

pytestmark = pytest.mark.thorough


def test_mutated_pictures_and_a_burst_get_answers(tmp_path: Path) -> None:
    with exposed(tmp_path, watching=False, rate_per_minute=1_000_000, detect_at_once=2, detect_queue=8) as service:
        found = onslaught.pictures(service, 300, random.Random(7))
        assert found["answers_of_500_and_above"] == 0
        assert {200, 422} <= set(found["statuses"])
        burst = onslaught.burst(service, 60)
    assert set(burst["statuses"]) <= {200, 503}
    assert burst["refused_without_retry_after"] == 0


def test_no_crafted_address_is_connected_to_and_no_file_opened() -> None:
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs root, unshare (util-linux) and ip (iproute2)")
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.forbidden"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    assert found["webhooks"]["tried"] + found["cameras"]["tried"] + found["pictures"]["tried"] >= 120
