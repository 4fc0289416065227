"""``ppe webhook dead|replay|enable`` on real stores."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from service.inquiry import Posted
from service.ports import Delivery
from service.store.store import Store
from tests.cli.workers import run
from tests.store.made import START_MS, message

ENDPOINTS = ("office", "lamp")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with three messages that the office was given up for, and the lamp is gone."""
    home = tmp_path / "store"
    with Store(home, ENDPOINTS) as store:
        for number in range(3):
            store.record([], [], [replace(message(f"msg_{number}"), created_ms=START_MS + 1000 * number)])
        while due := of(store, "office"):
            store.failed(due[0], START_MS, "HTTP 500", None)
        store.disable(of(store, "lamp")[0], START_MS + 9, "HTTP 410")
    return home


def of(store: Store, endpoint: str) -> list[Delivery]:
    return [one for one in store.due(START_MS) if one.endpoint == endpoint]


def ppe(folder: Path, *arguments: str) -> Result:
    return run("webhook", *arguments, PPE_STORE=str(folder), PPE_LOG_LEVEL="error", COLUMNS="200")


def waiting(folder: Path, endpoint: str = "office") -> list[str]:
    with Store(folder, ENDPOINTS) as store:
        return [one.id for one in store.find_messages(Posted(state="pending", endpoint=endpoint), 9)]


def test_what_was_given_up_is_listed(folder: Path) -> None:
    told = ppe(folder, "dead")
    assert told.exit_code == 0
    assert [line.split()[-1] for line in told.stdout.splitlines()] == ["msg_2", "msg_1", "msg_0"]
    assert told.stdout.startswith("2025-06-15 15:06:42Z  alert.fired         gate  to office: HTTP 500  msg_2")
    assert "endpoint lamp is disabled since 2025-06-15 15:06:40Z: HTTP 410 (ppe webhook enable lamp)" in told.stderr
    assert "3 given up" in told.stderr


def test_it_is_listed_as_json_and_by_endpoint(folder: Path) -> None:
    lines = [json.loads(line) for line in ppe(folder, "dead", "--endpoint", "office", "--json").stdout.splitlines()]
    assert next((line["id"], line["state"], line["error"]) for line in lines) == ("msg_2", "dead", "HTTP 500")
    assert ppe(folder, "dead", "--endpoint", "lamp").stdout == ""


def test_messages_are_sent_once_more(folder: Path) -> None:
    told = ppe(folder, "replay", "msg_0", "msg_9")
    assert told.exit_code == 1
    assert told.stdout == "to be sent once more: 1\n"
    assert "message msg_9 is not sent" in told.stderr
    assert waiting(folder) == ["msg_0"]


def test_messages_of_an_endpoint_are_sent_once_more_by_time(folder: Path) -> None:
    told = ppe(folder, "replay", "--endpoint", "office", "--since", "2025-06-15T15:06:41Z")
    assert (told.exit_code, told.stdout) == (0, "to be sent once more: 2\n")
    assert waiting(folder) == ["msg_2", "msg_1"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--endpoint", "office"),
        ("--since", "2025-06-15T15:06:41Z"),
        ("msg_0", "--endpoint", "office", "--since", "2025-06-15T15:06:41Z"),
        ("--endpoint", "office", "--since", "yesterday"),
        ("--endpoint", "office", "--since", "2025-06-15T15:06:41"),
    ],
)
def test_a_replay_that_names_nothing_is_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    assert ppe(folder, "replay", *arguments).exit_code == 2
    assert waiting(folder) == []


def test_an_endpoint_is_enabled(folder: Path) -> None:
    assert ppe(folder, "enable", "lamp").stdout == "enabled: lamp\n"
    with Store(folder, ENDPOINTS) as store:
        assert [one.message.id for one in of(store, "lamp")] == ["msg_0"]
    assert "endpoint lamp is not disabled" in ppe(folder, "enable", "lamp").stderr


def test_while_the_service_runs_it_is_asked_instead(folder: Path, tmp_path: Path) -> None:
    with Store(folder, ENDPOINTS):
        told = ppe(folder, "dead")
    assert told.exit_code == 2
    assert "GET /v1/messages?state=dead" in told.stderr
    assert "there is no store" in ppe(tmp_path / "nowhere", "dead").stderr
