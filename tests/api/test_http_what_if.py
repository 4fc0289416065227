"""A camera's last 30 minutes judged by an entry that it might have, over a real site file; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.safety.moment import Moment
from tests.api.keyed import keyed
from tests.api.test_http_refusals import refusal
from tests.api.test_http_site import at
from tests.api.watched import Made, asked
from tests.cli.test_asking import PICTURE
from tests.cli.workers import two_workers
from tests.store.made import START_MS
from tests.test_upkeep import TEXT

LEFT = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
RIGHT = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[httpx.Client]:
    made = at(tmp_path, Made())
    for index in range(40):
        made.store.remember("gate", Moment(100 + index / 5, START_MS + 200 * index), two_workers(PICTURE))
    with asked(made) as (client, _):
        yield client


def entry(**zone: Any) -> dict[str, Any]:
    return {"source": "rtsp://10.0.0.5/live", "zones": {"here": zone}}


def test_it_tells_what_would_fire_besides_and_changes_nothing(desk: httpx.Client, tmp_path: Path) -> None:
    right = desk.post("/v1/cameras/gate/what-if", json=entry(polygon=RIGHT)).json()
    assert right["frames"] == 40
    fires = [alert["equipment"] for alert in right["only_after"] + [pair["after"] for pair in right["both"]]]
    assert fires == ["vest"]
    left = desk.post("/v1/cameras/gate/what-if", json=entry(polygon=LEFT)).json()
    assert left["only_after"] == left["both"] == []
    assert left["after"]["person_seconds"]["vest"]["missing"] == 0
    assert left["after"]["person_seconds"]["vest"]["coverage"] > 0.9
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == TEXT


def test_what_was_or_would_be_black_is_told(desk: httpx.Client) -> None:
    told = desk.post("/v1/cameras/gate/what-if", json=entry(polygon=LEFT, ignore=True)).json()
    assert (told["was_black"], told["newly_black"]) == ([], 1)


def test_of_a_camera_without_a_recording_there_is_nothing_to_tell(desk: httpx.Client) -> None:
    told = desk.post("/v1/cameras/dock/what-if", json={"source": "rtsp://10.0.0.6/live"}).json()
    assert (told["frames"], told["from"], told["only_after"]) == (0, None, [])


def test_an_entry_with_mistakes_is_refused(desk: httpx.Client) -> None:
    crossing = [[0, 0], [1, 1], [1, 0], [0, 1]]
    assert refusal(desk.post("/v1/cameras/gate/what-if", json=entry(polygon=crossing))) == "SITE_INVALID"
    assert refusal(desk.post("/v1/cameras/gate/what-if", json=[])) == "BODY_INVALID"
    assert refusal(desk.post("/v1/cameras/nobody/what-if", json=entry(polygon=LEFT))) == "CAMERA_NOT_FOUND"


def test_it_takes_an_admin_where_there_are_keys() -> None:
    with keyed() as found, found.client("operate") as client:
        assert refusal(client.post("/v1/cameras/gate/what-if", json=entry(polygon=LEFT))) == "FORBIDDEN"
