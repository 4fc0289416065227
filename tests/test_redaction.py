"""No line of the log holds a secret, whoever wrote it and in whichever format."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from service.keys import make
from service.redaction import Redaction
from service.telemetry import configure_logging

TOKEN, KEY = make("gate", ["read"], 0)
CANARY = "canary-7f3a9c"
LINES = [
    f"key {TOKEN} was sent",
    "Authorization: Bearer canary-7f3a9c.and-more",
    "headers {'authorization': 'Basic canary-7f3a9cXXXX', 'x-api-key': 'canary-7f3a9c'}",
    "X-API-Key: canary-7f3a9c",
    "opening rtsp://viewer:canary-7f3a9c@10.0.0.5/stream1",
    "opening rtsp://viewer:canary-7f3a9c/with?signs@10.0.0.5/stream1",
    "password=canary-7f3a9c user=viewer",
    'password="canary-7f3a9c and more" user=viewer',
    "GATE_PASSWORD: canary-7f3a9c",
    "http://camera/snap?user=a&password=canary-7f3a9c&channel=1",
    "secret whsec_canary-7f3a9c0000 is short",
    '{"api_key": "canary-7f3a9c", "token": "canary-7f3a9c"}',
    r'{"event": "sent {\"api_key\": \"canary-7f3a9c\"}"}',
]
PLAIN = [
    "request method=POST path=/v1/detect status=200 ms=12.3",
    "http://127.0.0.1:8000/docs explains it",
    "mail kim@example.org about https://example.org/a",
    "password_env: GATE_PASSWORD",
    f"key={KEY.id} action=key.create",
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    shown = Redaction()(line)
    assert CANARY not in shown
    assert TOKEN.rpartition("_")[2] not in shown
    assert "***" in shown


@pytest.mark.parametrize("line", PLAIN, ids=range(len(PLAIN)))
def test_what_does_not_is_left_alone(line: str) -> None:
    assert Redaction()(line) == line


def test_a_key_keeps_its_id() -> None:
    assert Redaction()(f"key {TOKEN} was sent") == f"key ppe_{KEY.id}_*** was sent"


def test_what_is_known_as_a_secret_is_hidden_whatever_it_looks_like() -> None:
    hide = Redaction(["pass word", 'with "signs" \\', "short", ""])
    assert hide("the pass word") == "the ***"
    assert json.loads(hide(json.dumps({"a": 'x with "signs" \\ y'}))) == {"a": "x *** y"}
    assert hide("a short line") == "a short line"


@pytest.mark.parametrize(
    "line", [{"token": None}, {"token": 12, "a": 1}, {"password": True}, {"token": 'a"b,c', "z": 1}]
)
def test_a_json_line_stays_one(line: dict[str, object]) -> None:
    shown = json.loads(Redaction()(json.dumps(line)))
    assert shown.keys() == line.keys()
    assert "***" in shown.values()


@pytest.mark.parametrize("style", ["console", "json"])
def test_every_way_into_the_log_passes_it(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", style, ["known-secret"])
    structlog.get_logger("a").info(
        "structured", url="rtsp://a:canary-7f3a9c@b/", nested={"password": CANARY}, key=TOKEN
    )
    logging.getLogger("uvicorn.error").warning("from %s", f"password={CANARY} known-secret")
    try:
        raise RuntimeError(f"http://a:{CANARY}@b/ failed with known-secret")
    except RuntimeError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("somebody.else").exception("failed")
    told = capsys.readouterr().err
    assert told.count("RuntimeError") >= 2
    for secret in (CANARY, "known-secret", TOKEN):
        assert secret not in told
    if style == "json":
        assert json.loads(told.splitlines()[0])["event"] == "structured"
