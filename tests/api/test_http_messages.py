"""What became of webhooks by HTTP: pages, replays, and endpoints that are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from service.store.fake import FakeStore
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked
from tests.store.made import START_MS, message

ENDPOINTS = ("office", "lamp")


@pytest.fixture
def sent() -> Made:
    """A desk with three messages for two endpoints: all dead at the office, the first delivered to the lamp."""
    made = Made(FakeStore(ENDPOINTS))
    for number, camera in enumerate(("gate", "gate", "dock")):
        made.store.record([], [], [replace(message(f"msg_{number}", camera), created_ms=START_MS + 1000 * number)])
    while due := [one for one in made.store.due(START_MS) if one.endpoint == "office"]:
        for delivery in due:
            made.store.failed(delivery, START_MS + 5, "HTTP 500", None)
    made.store.delivered(next(one for one in made.store.due(START_MS) if one.endpoint == "lamp"), START_MS + 6)
    return made


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [f"{one['id']} {one['endpoint']}" for one in response.json()["messages"]]


def post(client: httpx.Client, path: str, body: Any = None) -> httpx.Response:
    return client.post(path, json={} if body is None else body)


def test_a_message_in_full(sent: Made) -> None:
    with asked(sent) as (client, _):
        shown = client.get("/v1/messages?state=dead&camera=dock").json()
    assert shown == {
        "messages": [
            {
                "id": "msg_2",
                "type": "alert.fired",
                "camera": "dock",
                "created_at": "2025-06-15T15:06:42.000Z",
                "endpoint": "office",
                "state": "dead",
                "attempts": 1,
                "tried_at": "2025-06-15T15:06:40.005Z",
                "next_at": None,
                "error": "HTTP 500",
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=dead", ["msg_2 office", "msg_1 office", "msg_0 office"]),
        ("state=delivered", ["msg_0 lamp"]),
        ("state=pending", ["msg_2 lamp", "msg_1 lamp"]),
        ("endpoint=lamp&camera=dock", ["msg_2 lamp"]),
        ("type=alert.resolved", []),
        ("since=2025-06-15T15:06:42Z", ["msg_2 office", "msg_2 lamp"]),
        ("until=2025-06-15T15:06:41Z", ["msg_0 office", "msg_0 lamp"]),
    ],
)
def test_filters(sent: Made, query: str, found: list[str]) -> None:
    with asked(sent) as (client, _):
        assert ids(client.get(f"/v1/messages?{query}")) == found


def test_pages_miss_and_double_nothing_while_messages_are_recorded(sent: Made) -> None:
    with asked(sent) as (client, _):
        whole, pages, cursor = ids(client.get("/v1/messages")), list[str](), ""
        while True:
            page = client.get(f"/v1/messages?limit=2{cursor}")
            pages += ids(page)
            sent.store.record([], [], [message(f"new_{len(pages)}")])
            if page.json()["next_cursor"] is None:
                break
            cursor = f"&cursor={page.json()['next_cursor']}"
    assert pages == whole


REFUSED = [
    "state=done",
    "limit=0",
    "limit=201",
    "cursor=x",
    "type=alert",
    "since=yesterday",
    "status=dead",
    "state=dead&state=dead",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_not_taken(sent: Made, query: str) -> None:
    with asked(sent) as (client, _):
        assert refusal(client.get(f"/v1/messages?{query}")) == "PARAMETER_INVALID"


def test_a_dead_message_is_sent_once_more(sent: Made) -> None:
    with asked(sent) as (client, _):
        answer = post(client, "/v1/messages/msg_0/replay")
        assert answer.status_code == 200
        states = {one["endpoint"]: (one["state"], one["attempts"]) for one in answer.json()["messages"]}
        assert states == {"office": ("pending", 0), "lamp": ("delivered", 1)}
        assert [one.message.id for one in sent.store.due(START_MS) if one.endpoint == "office"] == ["msg_0"]
        again = post(client, "/v1/messages/msg_0/replay", {"endpoint": "lamp"}).json()["messages"]
        assert [(one["endpoint"], one["state"]) for one in again] == [("lamp", "pending")]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/messages/msg_9/replay", {}, "MESSAGE_NOT_FOUND"),
        ("/v1/messages/msg_0/replay", {"endpoint": "nowhere"}, "MESSAGE_NOT_FOUND"),
        ("/v1/messages/msg_0/replay", {"endpoints": "lamp"}, "BODY_INVALID"),
        ("/v1/messages/msg_0/replay", [], "BODY_INVALID"),
        ("/v1/endpoints/nowhere/enable", {}, "ENDPOINT_NOT_FOUND"),
        ("/v1/endpoints/office/enable", {"now": True}, "BODY_INVALID"),
    ],
)
def test_what_can_not_be_done_changes_nothing(sent: Made, path: str, body: Any, code: str) -> None:
    with asked(sent) as (client, _):
        before = client.get("/v1/messages").json()
        assert refusal(client.post(path, json=body)) == code
        assert client.get("/v1/messages").json() == before


@pytest.mark.parametrize("path", ["/v1/messages/msg_0/replay", "/v1/endpoints/office/enable"])
def test_a_page_of_another_origin_can_not_send_it(sent: Made, path: str) -> None:
    with asked(sent) as (client, _):
        assert refusal(client.post(path)) == "UNSUPPORTED_MEDIA_TYPE"
        assert refusal(client.post(path, data={"endpoint": "office"})) == "UNSUPPORTED_MEDIA_TYPE"


def test_an_endpoint_that_is_gone_is_shown_and_can_be_enabled(sent: Made) -> None:
    sent.store.disable(sent.store.due(START_MS)[0], START_MS + 7, "HTTP 410")
    with asked(sent) as (client, _):
        office, lamp = client.get("/v1/endpoints").json()["endpoints"]
        assert lamp == {
            "name": "lamp",
            "pending": 2,
            "oldest_at": "2025-06-15T15:06:41.000Z",
            "dead": 0,
            "enabled": False,
            "disabled_at": "2025-06-15T15:06:40.007Z",
            "why": "HTTP 410",
        }
        assert (office["enabled"], office["dead"], office["oldest_at"]) == (True, 3, None)
        for _ in range(2):
            answer = post(client, "/v1/endpoints/lamp/enable").json()
            assert (answer["enabled"], answer["disabled_at"], answer["why"]) == (True, None, "")
    assert [one.endpoint for one in sent.store.due(START_MS)] == ["lamp", "lamp"]


def test_without_cameras_there_is_nothing_to_ask(client: httpx.Client) -> None:
    assert refusal(client.get("/v1/messages")) == "NOT_WATCHING"
    assert refusal(client.get("/v1/endpoints")) == "NOT_WATCHING"
    assert refusal(client.post("/v1/messages/a/replay", json={})) == "NOT_WATCHING"


def test_a_store_that_fails_is_said_so(sent: Made) -> None:
    sent.store.close()
    with asked(sent) as (client, _):
        assert refusal(client.get("/v1/messages")) == "STORE_UNAVAILABLE"
        assert refusal(client.post("/v1/endpoints/lamp/enable", json={})) == "STORE_UNAVAILABLE"
