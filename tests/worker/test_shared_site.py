"""Two services with a site file each share a database: neither ends what the other one watches."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from service.detectors.fake import FakeDetector
from service.settings import Settings
from service.sitefile import parse_site
from service.store.store import Store
from service.wiring import watching
from tests.pictures.films import film
from tests.postgres import Server
from tests.store.made import alert, fired


def test_alerts_of_another_services_cameras_stay_open(postgres: Server, tmp_path: Path) -> None:
    film(tmp_path / "yard.mp4", pictures=5, rate=10)
    text = f"cameras:\n  yard: {tmp_path}/yard.mp4\n  roof: {tmp_path}/yard.mp4\n"
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    site = parse_site(text, tmp_path / "site.yaml")
    address, folder = postgres.emptied(), tmp_path / "store"
    settings = Settings(store=folder, database=f"postgresql://ppe@/{address.database}?host={postgres.folder}")
    with Store(folder, [], address=address) as other, capture_logs():
        other.record([fired(alert(1)), fired(alert(2, "dock"))], [], [])
        with watching(site, settings, FakeDetector(), tmp_path / "site.yaml") as running:
            assert running.wait(30)
            assert other.cameras_with_open_alerts() == ["dock", "gate"]
            other.record([fired(alert(3, "roof"))], [], [])
            running.site.remove("roof")
            assert other.cameras_with_open_alerts() == ["dock", "gate"]
