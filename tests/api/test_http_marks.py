"""What people say of an alert by HTTP: kept once, shown, bounded, and nothing of it changes what fires."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked
from tests.store.made import alert, ended

ONE = f"/v1/alerts/{alert(1).id}"
SAID = [
    ("acknowledge", {"by": "Kim", "note": "Sent back."}, "acknowledged"),
    ("snooze", {"until": "2025-06-15T16:00:00Z", "by": "Kim"}, "snoozed"),
    ("false", {"reason": "A statue.", "by": "Kim"}, "false_alarm"),
]


@pytest.fixture
def made() -> Made:
    made = Made()
    made.fire(1)
    return made


@pytest.fixture
def desk(made: Made) -> Iterator[httpx.Client]:
    with asked(made) as (client, _):
        yield client


@pytest.mark.parametrize(("action", "body", "kind"), SAID)
def test_it_is_kept_shown_and_said_twice_kept_once(
    made: Made, desk: httpx.Client, action: str, body: dict[str, Any], kind: str
) -> None:
    first = desk.post(f"{ONE}/{action}", json=body)
    assert first.status_code == 200
    made.clock.sleep(5)
    again = desk.post(f"{ONE}/{action}", json=body)
    assert again.json() == first.json() == desk.get(ONE).json()
    shown = first.json()[kind]
    assert shown["at"] == "2025-06-15T15:07:40.000Z"
    assert (shown["by"], shown["note"]) == ("Kim", body.get("note", body.get("reason", "")))
    assert [change["kind"] for change in first.json()["changes"]] == ["fired", kind]
    assert desk.get("/v1/alerts").json()["alerts"][0][kind] == shown


def test_something_else_is_one_more_change_and_the_newest_stands(desk: httpx.Client) -> None:
    for by in ("Kim", "Lee", "Kim"):
        answer = desk.post(f"{ONE}/acknowledge", json={"by": by}).json()
    assert [change["by"] for change in answer["changes"]] == [None, "Kim", "Lee", "Kim"]
    assert answer["acknowledged"]["by"] == "Kim"


def test_a_snooze_is_over_when_its_time_has_come(made: Made, desk: httpx.Client) -> None:
    desk.post(f"{ONE}/snooze", json={"until": "2025-06-15T15:08:00Z"})
    made.clock.sleep(19.999)
    assert desk.get(ONE).json()["snoozed"]["until"] == "2025-06-15T15:08:00.000Z"
    made.clock.sleep(0.001)
    assert desk.get(ONE).json()["snoozed"] is None
    assert [change["kind"] for change in desk.get(ONE).json()["changes"]] == ["fired", "snoozed"]


def test_nothing_that_is_said_holds_up_what_happens(made: Made, desk: httpx.Client) -> None:
    for action, body, _ in SAID:
        desk.post(f"{ONE}/{action}", json=body)
    made.fire(2)
    made.store.record([ended(alert(1))], [], [])
    newest, oldest = desk.get("/v1/alerts").json()["alerts"]
    assert (newest["status"], newest["acknowledged"], newest["snoozed"], newest["false_alarm"]) == ("open", *[None] * 3)
    assert (oldest["status"], oldest["acknowledged"]["by"]) == ("ended", "Kim")


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Made, httpx.Client]]:
    """A desk for requests that are refused."""
    made = Made()
    made.fire(1)
    with asked(made) as (client, _):
        yield made, client


Standing = tuple[Made, httpx.Client]
BAD: list[tuple[str, Any]] = [
    ("acknowledge", {}),
    ("acknowledge", {"by": ""}),
    ("acknowledge", {"by": " \n"}),
    ("acknowledge", {"by": "x" * 101}),
    ("acknowledge", {"by": 1}),
    ("acknowledge", {"by": "Kim", "note": "x" * 1001}),
    ("acknowledge", {"by": "Kim", "nota": "x"}),
    ("acknowledge", []),
    ("snooze", {}),
    ("snooze", {"until": "2025-06-15T15:07:40Z"}),
    ("snooze", {"until": "2025-06-22T15:07:40.001Z"}),
    ("snooze", {"until": "tomorrow"}),
    ("snooze", {"until": 1750000000}),
    ("false", {}),
    ("false", {"reason": ""}),
    ("false", {"reason": "x" * 1001}),
]


@pytest.mark.parametrize(("action", "body"), BAD)
def test_what_is_not_taken(standing: Standing, action: str, body: Any) -> None:
    made, desk = standing
    assert refusal(desk.post(f"{ONE}/{action}", json=body)) == "BODY_INVALID"
    assert made.store.marks == {}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 10000, b'{"by": "\\ud800"}', b"nul"])
def test_rubbish_is_refused(standing: Standing, content: bytes) -> None:
    desk = standing[1]
    answer = desk.post(f"{ONE}/acknowledge", content=content, headers={"Content-Type": "application/json"})
    assert refusal(answer) == "BODY_INVALID"


def test_seven_days_are_taken(desk: httpx.Client) -> None:
    assert desk.post(f"{ONE}/snooze", json={"until": "2025-06-22T15:07:40Z"}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_a_page_of_another_origin_can_say_nothing(standing: Standing, kind: str | None) -> None:
    """Browsers send these without asking first."""
    made, desk = standing
    headers = {"Content-Type": kind} if kind else {}
    answer = desk.post(f"{ONE}/acknowledge", content=json.dumps({"by": "Kim"}), headers=headers)
    assert refusal(answer) == "UNSUPPORTED_MEDIA_TYPE"
    assert made.store.marks == {}


def test_a_large_body_is_refused(standing: Standing) -> None:
    desk = standing[1]
    content = b'{"by": "Kim", "note": "' + b"x" * 20_000 + b'"}'
    answer = desk.post(f"{ONE}/acknowledge", content=content, headers={"Content-Type": "application/json"})
    assert refusal(answer) == "BODY_TOO_LARGE"


def test_what_is_said_is_one_clean_line(desk: httpx.Client) -> None:
    answer = desk.post(f"{ONE}/acknowledge", json={"by": " Kim\n", "note": "a\tb\u202ec\x00"}).json()
    assert (answer["acknowledged"]["by"], answer["acknowledged"]["note"]) == ("Kim", "a b\ufffdc\ufffd")


@pytest.mark.parametrize(("action", "body", "kind"), SAID)
def test_of_no_alert_nothing_can_be_said(standing: Standing, action: str, body: dict[str, Any], kind: str) -> None:
    assert refusal(standing[1].post(f"/v1/alerts/none/{action}", json=body)) == "ALERT_NOT_FOUND"


def test_without_a_site_it_says_so(client: httpx.Client) -> None:
    assert refusal(client.post(f"{ONE}/acknowledge", json={"by": "Kim"})) == "NOT_WATCHING"
