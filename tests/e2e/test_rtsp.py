"""The real command on a real RTSP camera whose server is killed: it comes back, and the alert stays one.

Ten minutes and three kills of it: python -m benchmarks.rtsp_soak.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rtsp_soak import soak


@pytest.mark.thorough
def test_a_camera_whose_server_is_killed_comes_back_with_one_alert(tmp_path: Path) -> None:
    result = soak(tmp_path, seconds=22, kills=1, down=2, scripted=True)
    (outage,) = result["kills"]
    assert outage["back_after_s"] is not None, (tmp_path / "watch.log").read_text()
    assert outage["told_offline_after_s"] < 5
    assert outage["back_after_s"] < 20
    assert result["events_received"] == {"alert.fired": 1, "camera.offline": 1, "camera.online": 1}
    assert result["alerts_doubled"] == 0
    assert result["exit_code"] == 0
    assert result["frames_recorded"] > 30
