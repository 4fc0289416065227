"""A camera that repeats one picture, through the command: it is told, nothing is fired from it, and it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cameras.http_camera import Camera, alive, http_camera
from tests.e2e.commands import eventually, ppe, receiving, site_file, types

SIGHT = "    sight: {frozen_after: 3, blind_after: null, moved_after: null}\n"


@pytest.mark.thorough
def test_a_frozen_camera_is_told_fires_nothing_and_is_judged_again_when_it_moves(tmp_path: Path) -> None:
    pictures = alive(320, 240)
    camera = Camera(parts=pictures[:1], every=0.1)
    with http_camera(camera), receiving() as (receiver, arrivals):
        site = site_file(tmp_path, camera.url, receiver.port)
        site.write_text(site.read_text(encoding="utf-8").replace("endpoints:", f"{SIGHT}endpoints:"), encoding="utf-8")
        with ppe(tmp_path / "store", "watch", site) as process:
            assert eventually(lambda: "camera.frozen" in types(arrivals))
            assert types(arrivals) == ["camera.frozen"]  # two workers on it, one without a vest, and on_delay is over
            camera.parts[:] = pictures
            assert eventually(lambda: len(types(arrivals)) >= 3)
            assert sorted(types(arrivals)) == ["alert.fired", "camera.frozen", "camera.frozen"]
            process.terminate()
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    told = [one.event["data"]["begins"] for one in arrivals if one.event and one.event["type"] == "camera.frozen"]
    assert told == [True, False]
