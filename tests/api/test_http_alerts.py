"""Alerts by HTTP: pages that miss and double nothing, one alert with its changes, its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service.api.cursors import cursor
from service.inquiry import Mark
from service.ports import Still
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked
from tests.store.made import JPEG, START_MS, alert, continued, ended, fired


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["alerts"]]


def numbered(*numbers: int) -> list[str]:
    return [alert(number).id for number in numbers]


def test_the_newest_come_first(made: Made, desk: httpx.Client) -> None:
    made.fire(2, 1, 3)
    answer = desk.get("/v1/alerts")
    assert ids(answer) == numbered(3, 2, 1)
    assert answer.json()["next_cursor"] is None


def test_an_alert_in_full(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    made.store.record([], [Still(alert(1).id, "crop", JPEG)], [])
    (shown,) = desk.get("/v1/alerts").json()["alerts"]
    assert shown == {
        "id": "0000000000000001",
        "camera": {"id": "gate", "name": "Gate 2"},
        "zone": {"id": "yard", "name": "Lumber yard"},
        "person": "p1",
        "equipment": "helmet",
        "severity": "high",
        "status": "open",
        "since": "2025-06-15T15:06:38.750Z",
        "fired_at": "2025-06-15T15:06:41.000Z",
        "seen_at": "2025-06-15T15:06:41.000Z",
        "ended_at": None,
        "ending": None,
        "duration_s": 2.2,
        "box": {"x1": 10.5, "y1": 20.0, "x2": 110.2, "y2": 320.0},
        "zone_uncertain": True,
        "by_absence": False,
        "acknowledged": None,
        "snoozed": None,
        "false_alarm": None,
        "evidence": {
            "annotated": None,
            "clean": None,
            "crop": "/v1/alerts/0000000000000001/evidence/crop",
            "clip": None,
        },
    }


def test_an_alert_of_a_camera_that_is_gone_is_called_by_its_ids(made: Made, desk: httpx.Client) -> None:
    made.fire(1, camera="old-yard", zone="north-side")
    (shown,) = desk.get("/v1/alerts").json()["alerts"]
    assert shown["camera"] == {"id": "old-yard", "name": "old-yard"}
    assert shown["zone"] == {"id": "north-side", "name": "north side"}


FILTERS = [
    ("camera=dock", [2]),
    ("zone=roof", [3]),
    ("equipment=vest", [4]),
    ("severity=low", [5]),
    ("status=open", [5, 4, 3, 2]),
    ("status=ended", [1]),
    ("acknowledged=true", [3]),
    ("acknowledged=false", [5, 4, 2, 1]),
    ("since=2025-06-15T15:06:43Z", [5, 4, 3]),
    ("until=2025-06-15T15:06:43Z", [2, 1]),
    ("since=2025-06-16T00:06:42%2B09:00&until=2025-06-15t15:06:43.0001z", [3, 2]),
    ("camera=gate&zone=yard&equipment=helmet&severity=high&status=ended&acknowledged=false", [1]),
    ("camera=nowhere", []),
]


@pytest.mark.parametrize(("query", "numbers"), FILTERS)
def test_filters(made: Made, desk: httpx.Client, query: str, numbers: list[int]) -> None:
    made.fire(1)
    made.fire(2, camera="dock")
    made.fire(3, zone="roof")
    made.fire(4, equipment="vest")
    made.fire(5, severity="low")
    made.store.record([ended(alert(1))], [], [])
    made.store.mark(alert(3).id, Mark("acknowledged", START_MS, "Kim"))
    assert ids(desk.get(f"/v1/alerts?{query}")) == numbered(*numbers)


@pytest.fixture(scope="module")
def changing() -> Iterator[tuple[httpx.Client, Any]]:
    with asked(Made()) as served:
        yield served


REFUSED = ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=MSAx", "cursor=%FF", "cursor=", "equipment=shoes"]
REFUSED += ["severity=worst", "status=closed", "acknowledged=perhaps", "since=yesterday", "since=2025-06-15T15:06:43"]
REFUSED += [
    "since=1750000000",
    "until=2025-02-30T00:00:00Z",
    "since=2025-06-15T15:06:43+09:00",
    "page=2",
    "camera=a&camera=b",
]
REFUSED += [
    "since=2025-06-15T15:06:60Z",
    "until=0001-01-01T00:00:00%2B09:00x",
    "camera=" + "x" * 101,
    "limit=1&limit=2",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_taken(changing: tuple[httpx.Client, Any], query: str) -> None:
    assert refusal(changing[0].get(f"/v1/alerts?{query}")) == "PARAMETER_INVALID"


def test_a_refusal_says_how_to_mend_it(desk: httpx.Client) -> None:
    assert "cursor: " in desk.get("/v1/alerts?cursor=x").json()["detail"]
    assert "a + is written %2B" in desk.get("/v1/alerts?since=2025-06-15T15:06:43+09:00").json()["detail"]
    assert "severity, status, acknowledged" in desk.get("/v1/alerts?page=2").json()["detail"]


ENDS = ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00%2B23:59", "9998-12-31T23:59:59.999999Z"]


@pytest.mark.parametrize("at", ENDS)
def test_the_ends_of_time(made: Made, desk: httpx.Client, at: str) -> None:
    made.fire(1)
    assert desk.get(f"/v1/alerts?since={at}").status_code == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"])
def test_beyond_the_ends_of_time(changing: tuple[httpx.Client, Any], at: str) -> None:
    answer = changing[0].get(f"/v1/alerts?until={at}")
    assert refusal(answer) == "PARAMETER_INVALID"
    assert "until: say a time of the years 1970 to 9998" in answer.json()["detail"]


def test_a_cursor_of_a_place_that_is_empty_leads_on(made: Made, desk: httpx.Client) -> None:
    made.fire(1, 2, 3)
    between = cursor((alert(2).fired.wall_ms, "zzz"))
    assert ids(desk.get(f"/v1/alerts?cursor={between}")) == numbered(2, 1)


MADE = st.fixed_dictionaries(
    {
        "camera": st.sampled_from(["gate", "dock"]),
        "zone": st.sampled_from(["yard", "roof"]),
        "equipment": st.sampled_from(["helmet", "vest"]),
        "severity": st.sampled_from(["low", "high"]),
    }
)
ASKED = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in {
    "camera": ["gate", "dock"],
    "zone": ["yard", "roof"],
    "equipment": ["helmet", "vest"],
    "severity": ["low", "high"],
    "status": ["open", "ended"],
    "since": ["2025-06-15T15:06:42Z"],
    "until": ["2025-06-15T15:06:44Z"],
}.items()})  # fmt: skip


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    there=st.lists(st.tuples(st.integers(1, 5), MADE, st.booleans()), max_size=14),
    arriving=st.lists(st.tuples(st.integers(0, 8), MADE), max_size=6),
    query=ASKED,
    limit=st.integers(1, 5),
)
def test_pages_miss_and_double_nothing(
    changing: tuple[httpx.Client, Any],
    there: list[tuple[int, dict[str, Any], bool]],
    arriving: list[tuple[int, dict[str, Any]]],
    query: dict[str, str],
    limit: int,
) -> None:
    """Several alerts fire in the same millisecond, and new ones arrive between any two pages."""
    client, app = changing
    made = Made()
    app.state.desk = made.desk()
    for number, (second, look, over) in enumerate(there):
        one = replace(alert(second), id=f"{number:02}", **look)
        made.store.record([fired(one), *([ended(one)] if over else [])], [], [])
    whole = ids(client.get("/v1/alerts", params={**query, "limit": 200}))
    newcomers = iter(enumerate(arriving, 50))
    seen: list[str] = []
    parameters: dict[str, Any] = {**query, "limit": limit}
    while True:
        page = client.get("/v1/alerts", params=parameters)
        seen += ids(page)
        assert len(ids(page)) <= limit
        if page.json()["next_cursor"] is None:
            break
        parameters["cursor"] = page.json()["next_cursor"]
        for number, (second, look) in [one for one in [next(newcomers, None)] if one]:
            made.fire(second, id=f"{number:02}", **look)
    assert len(seen) == len(set(seen))
    assert [one for one in seen if one < "50"] == whole


def test_an_alert_with_what_happened_to_it(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    made.store.mark(alert(1).id, Mark("acknowledged", START_MS + 5000, "Kim", "Sent back."))
    made.store.record([ended(alert(1), 10, "lost_sight"), continued(alert(1), 20), ended(alert(1), 30)], [], [])
    answer = desk.get(f"/v1/alerts/{alert(1).id}").json()
    assert [change["kind"] for change in answer["changes"]] == [
        "fired",
        "acknowledged",
        "lost_sight",
        "updated",
        "resolved",
    ]
    assert answer["changes"][1] == {
        "kind": "acknowledged",
        "at": "2025-06-15T15:06:45.000Z",
        "by": "Kim",
        "note": "Sent back.",
        "until": None,
    }
    assert (answer["status"], answer["ending"], answer["duration_s"]) == ("ended", "worn", 32.2)
    assert {name: value for name, value in answer.items() if name != "changes"} == desk.get("/v1/alerts").json()[
        "alerts"
    ][0]


@pytest.mark.parametrize("strange", ["0000000000000009", "..", "%2e%2e%2fppe.db", "a" * 5000, "%ed%a0%80"])
def test_there_is_no_such_alert(changing: tuple[httpx.Client, Any], strange: str) -> None:
    desk = changing[0]
    assert refusal(desk.get(f"/v1/alerts/{strange}")) in {"ALERT_NOT_FOUND", "NOT_FOUND"}
    assert refusal(desk.get(f"/v1/alerts/{strange}/evidence/crop")) in {"ALERT_NOT_FOUND", "NOT_FOUND"}


@pytest.mark.parametrize("address", ["/v1/alerts/%00", "/v1/alerts/a%00b/evidence/crop", "/v1/alerts?camera=a%00b"])
def test_a_character_that_no_database_takes_is_refused(changing: tuple[httpx.Client, Any], address: str) -> None:
    answer = changing[0].get(address)
    assert refusal(answer) == "PARAMETER_INVALID"
    assert "U+0000" in answer.json()["detail"]


def test_a_store_that_fails_is_told_without_its_own_words(made: Made, desk: httpx.Client) -> None:
    made.store.close()
    for path in ("/v1/alerts", "/v1/alerts/x", "/v1/alerts/x/evidence/crop", "/v1/stats"):
        answer = desk.get(path)
        assert refusal(answer) == "STORE_UNAVAILABLE"
        assert "this store was closed" not in answer.text
    assert desk.get("/v1/cameras").status_code == 200


WATCHED = [
    "/v1/alerts",
    "/v1/alerts?page=2",
    "/v1/alerts/x",
    "/v1/alerts/x/evidence/crop",
    "/v1/cameras",
    "/v1/cameras/x",
]


@pytest.mark.parametrize("path", [*WATCHED, "/v1/stats"])
def test_without_a_site_it_says_so(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert refusal(answer) == "NOT_WATCHING"
    assert "ppe serve --site" in answer.json()["detail"]
