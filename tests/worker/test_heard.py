"""What a whole site does is heard at once by who listens, and counted."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from structlog.testing import capture_logs

from service.detectors.fake import FakeDetector
from service.metrics import Metrics
from service.ports import Image
from service.safety.detections import Detections
from service.settings import Settings
from service.sitefile import parse_site
from service.wiring import watching
from tests.cli.workers import two_workers
from tests.pictures.films import film


def test_the_bell_rings_when_something_is_recorded_and_the_watch_is_counted(tmp_path: Path) -> None:
    film(tmp_path / "yard.mp4", pictures=60, rate=10)
    site = parse_site(f"cameras: {{yard: {tmp_path / 'yard.mp4'}}}\n", tmp_path / "site.yaml")
    looked, listening = iter([True]), threading.Event()

    def look(image: Image) -> Detections:
        if not next(looked, False):  # the first picture is the start's own
            assert listening.wait(30)
        return two_workers(image)

    metrics, detector = Metrics(), FakeDetector(look)
    with capture_logs(), watching(site, Settings(store=tmp_path / "store"), detector, metrics=metrics) as running:

        async def hear() -> None:
            rung = asyncio.Event()
            with running.desk.bell.heard(rung):
                listening.set()
                await asyncio.wait_for(rung.wait(), 30)

        asyncio.run(hear())
        assert running.wait(30)
        told = running.desk.records.told_after(0, 9)
        assert [one.type for one in told] == ["alert.fired", "alert.resolved"]
    detector.close()

    def count(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, {"camera": "yard", **labels})

    assert count("ppe_camera_frames_read_total") == count("ppe_camera_frames_judged_total") == 30
    assert count("ppe_alert_changes_total", equipment="vest", kind="fired") == 1
    assert count("ppe_alert_changes_total", equipment="vest", kind="lost_sight") == 1
