"""Cameras and compliance by HTTP."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from service.safety.coverage import PersonSeconds
from service.safety.moment import Moment
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked

STUCK_S = 25.0
HOUR_MS = 3_600_000
NOON_MS = 1_749_988_800_000
"""2025-06-15T12:00:00Z"""


def test_how_cameras_do(desk: httpx.Client) -> None:
    gate, dock = desk.get("/v1/cameras").json()["cameras"]
    assert gate == {
        "id": "gate",
        "name": "Gate 2",
        "status": "live",
        "since": "2025-06-15T15:06:40.000Z",
        "code": None,
        "detail": "",
        "frame_age_s": 0.2,
        "frames_per_second": 5.0,
        "reduced_to": None,
        "people": 3,
        "unverified": None,
        "can_judge": True,
        "cannot_judge": [],
    }
    assert (dock["status"], dock["code"], dock["can_judge"]) == ("offline", "STREAM_TIMEOUT", False)
    assert (dock["frame_age_s"], dock["people"]) == (None, None)
    assert dock["cannot_judge"] == [{"equipment": "helmet", "reason": "mostly_unknown"}]
    assert desk.get("/v1/cameras/dock").json() == dock


def test_a_camera_that_shows_another_place_can_judge_and_a_blind_one_can_not(made: Made, desk: httpx.Client) -> None:
    gate, dock = made.health.made
    made.health.made = [
        replace(gate, state=replace(gate.state, status="moved")),
        replace(dock, state=replace(gate.state, status="blind"), blind=()),
    ]
    shown = [(one["status"], one["can_judge"]) for one in desk.get("/v1/cameras").json()["cameras"]]
    assert shown == [("moved", True), ("blind", False)]


def test_a_model_that_leaves_a_camera_without_an_answer_is_not_ready(made: Made, desk: httpx.Client) -> None:
    gate, dock = made.health.made
    made.health.made = [replace(gate, unanswered=STUCK_S - 1), dock]
    assert desk.get("/readyz").status_code == 200
    made.health.made = [replace(gate, unanswered=STUCK_S), dock]
    assert refusal(desk.get("/readyz")) == "MODEL_UNAVAILABLE"
    assert desk.get("/healthz").status_code == 200


def test_there_is_no_such_camera(desk: httpx.Client) -> None:
    assert refusal(desk.get("/v1/cameras/roof")) == "CAMERA_NOT_FOUND"


def count(made: Made, camera: str, hour: int, seconds: PersonSeconds) -> None:
    made.store.count(camera, Moment(0.0, NOON_MS + hour * HOUR_MS + 1), seconds, [])


@pytest.fixture
def counted(made: Made) -> None:
    count(
        made,
        "gate",
        0,
        {("yard", "helmet", "worn"): 30.0, ("yard", "helmet", "missing"): 10.0, ("yard", "helmet", "unknown"): 10.0},
    )
    count(made, "gate", 0, {("yard", "vest", "worn"): 5.0})
    count(made, "gate", 1, {("yard", "helmet", "worn"): 10.0})
    count(made, "dock", 1, {("yard", "helmet", "unknown"): 4.0})


@pytest.mark.usefixtures("counted")
def test_compliance_with_the_unknown_beside_it(desk: httpx.Client) -> None:
    answer = desk.get("/v1/stats").json()
    assert (answer["since"], answer["until"]) == ("2025-06-14T15:07:40.000Z", "2025-06-15T15:07:40.000Z")
    total = {"worn_s": 45.0, "missing_s": 10.0, "unknown_s": 14.0, "compliance": 0.8182, "coverage": 0.7971}
    assert answer["total"] == total
    shown = [(one["camera"], one["equipment"], one["hour"], one["compliance"]) for one in answer["groups"]]
    assert shown == [
        ("dock", "helmet", "2025-06-15T13:00:00.000Z", None),
        ("gate", "helmet", "2025-06-15T12:00:00.000Z", 0.75),
        ("gate", "helmet", "2025-06-15T13:00:00.000Z", 1.0),
        ("gate", "vest", "2025-06-15T12:00:00.000Z", 1.0),
    ]
    assert [one["coverage"] for one in answer["groups"]] == [0.0, 0.8, 1.0, 1.0]


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("query", "groups"),
    [
        ("by=equipment", [(None, "helmet", None, 50.0), (None, "vest", None, 5.0)]),
        ("by=hour,camera&camera=gate", [("gate", None, 12, 45.0), ("gate", None, 13, 10.0)]),
        ("by=camera&equipment=vest", [("gate", "vest", None, 5.0)]),
        ("by=zone,camera&zone=yard&equipment=helmet", [("dock", "yard", 0), ("gate", "yard", 50.0)]),
        ("by=camera&zone=roof", []),
        ("by=camera&since=2025-06-15T13:00:00Z&until=2025-06-15T14:00:00Z", [("dock", 0), ("gate", 10.0)]),
        ("by=camera&since=2025-06-15T12:00:00.001Z&until=2025-06-15T13:00:00Z", []),
    ],
)
def test_groups(desk: httpx.Client, query: str, groups: list[tuple[object, ...]]) -> None:
    found = desk.get(f"/v1/stats?{query}").json()["groups"]
    assert len(found) == len(groups)
    for one, wanted in zip(found, groups, strict=True):
        assert one["camera"] == wanted[0]
        assert one["worn_s"] + one["missing_s"] == wanted[-1]


def test_nobody_seen_is_no_compliance(desk: httpx.Client) -> None:
    answer = desk.get("/v1/stats").json()
    assert answer["groups"] == []
    assert (answer["total"]["compliance"], answer["total"]["coverage"]) == (None, None)


@pytest.mark.usefixtures("counted")
def test_groups_as_csv(desk: httpx.Client) -> None:
    answer = desk.get("/v1/stats?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(answer.text.splitlines()))
    assert lines[0] == {
        "camera": "dock",
        "zone": "",
        "equipment": "helmet",
        "hour": "2025-06-15T13:00:00.000Z",
        "worn_s": "0.0",
        "missing_s": "0.0",
        "unknown_s": "4.0",
        "compliance": "",
        "coverage": "0.0",
    }
    assert [line["compliance"] for line in lines] == ["", "0.75", "1.0", "1.0"]


def test_zones_are_told_apart_and_what_was_counted_before_has_none(made: Made, desk: httpx.Client) -> None:
    count(
        made,
        "gate",
        0,
        {("", "helmet", "worn"): 1.0, ("yard", "helmet", "missing"): 2.0, ("yard", "vest", "worn"): 4.0},
    )
    answer = desk.get("/v1/stats?by=camera,zone,equipment").json()
    shown = [
        (one["camera"], one["zone"], one["equipment"], one["worn_s"], one["missing_s"]) for one in answer["groups"]
    ]
    yard = [("gate", "yard", "helmet", 0.0, 2.0), ("gate", "yard", "vest", 4.0, 0.0)]
    assert shown == [("gate", "", "helmet", 1.0, 0.0), *yard]
    lines = list(csv.DictReader(desk.get("/v1/stats?format=csv&by=zone").text.splitlines()))
    assert [(line["zone"], line["compliance"]) for line in lines] == [("", "1.0"), ("yard", "0.6667")]


REFUSED = ["by=", "by=person", "by=camera,", "format=xml", "form=csv", "since=2025-06-15T15:07:40Z", "equipment=shoes"]
REFUSED += ["since=2025-03-15T15:07:39Z", "since=2025-06-15T13:00:00Z&until=2025-06-15T12:00:00Z"]


@pytest.fixture(scope="module")
def standing() -> Iterator[httpx.Client]:
    with asked(Made()) as (client, _):
        yield client


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_taken(standing: httpx.Client, query: str) -> None:
    assert refusal(standing.get(f"/v1/stats?{query}")) == "PARAMETER_INVALID"


def test_a_refusal_names_the_parameters(desk: httpx.Client) -> None:
    assert desk.get("/v1/stats?form=csv").json()["detail"].endswith("since, until, camera, zone, equipment, by, format")
