"""The receiver to try webhooks with, and its commands."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer
from typer.testing import CliRunner

from service.cli import webhook
from service.delivery.receiver import Arrival, Receiver
from service.delivery.signing import new_secret, signer
from service.delivery.webhook import WebhookSender
from service.ports import Message
from tests.delivery.scripted import OTHER, SECRET, RealClock, message

BODY = (
    '{"type":"alert.fired","timestamp":"2026-03-02T13:03:07.120Z","data":{"summary":"Worker\\u001b[2J without helmet"}}'
)


@contextmanager
def listening(fail: int = 0) -> Iterator[tuple[Receiver, list[Arrival]]]:
    arrivals: list[Arrival] = []
    receiver = Receiver(SECRET, 0, arrivals.append, fail=fail)
    thread = threading.Thread(target=receiver.run)
    thread.start()
    yield receiver, arrivals
    receiver.stop()
    thread.join()
    receiver.close()


def send(receiver: Receiver, *messages: Message, secret: str = SECRET) -> list[bool]:
    sender = WebhookSender(f"http://127.0.0.1:{receiver.port}/", secret, RealClock(), lan=True, deadline=5)
    done = [sender.send(one).done for one in messages]
    sender.close()
    return done


def test_takes_verifies_and_knows_duplicates() -> None:
    with listening() as (receiver, arrivals):
        assert send(receiver, message(1), message(2), message(1)) == [True] * 3
    assert [arrival.duplicate for arrival in arrivals] == [False, False, True]
    assert [arrival.status for arrival in arrivals] == [200] * 3
    assert arrivals[0].event == {"type": "alert.fired"}


def test_refuses_another_secret_and_fails_when_told() -> None:
    with listening(fail=2) as (receiver, arrivals):
        assert send(receiver, message(), secret=OTHER) == [False]
        assert send(receiver, message(), message(), message()) == [False, False, True]
    assert [arrival.status for arrival in arrivals] == [401, 500, 500, 200]
    assert not arrivals[-1].duplicate


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"{}", 401),
        ({"webhook-id": "a", "webhook-timestamp": "x", "webhook-signature": "v1,AAAA"}, b"{}", 401),
        ({"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": "rubbish"}, b"{}", 401),
        ({"webhook-id": "a", "webhook-timestamp": "NOW", "webhook-signature": "v1,***"}, b"\xff\xfe", 401),
        ({"Content-Length": "99999999"}, b"", 413),
        ({"Content-Length": "many"}, b"", 411),
    ],
)
def test_refuses_what_is_no_webhook(headers: dict[str, str], body: bytes, expected: int) -> None:
    now = str(RealClock().now().wall_ms // 1000)
    with listening() as (receiver, arrivals):
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=5)
        connection.request("POST", "/", body, {name: value.replace("NOW", now) for name, value in headers.items()})
        assert connection.getresponse().status == expected
        connection.close()
    assert [arrival.status for arrival in arrivals] == [expected]


def test_secrets_are_new_and_usable() -> None:
    app = typer.Typer()
    webhook.register(app)
    made = [CliRunner().invoke(app, ["webhook", "secret"]).stdout.strip() for _ in range(2)]
    assert made[0] != made[1]
    assert all(signer(secret) for secret in (*made, new_secret()))


@pytest.mark.parametrize(("arguments", "why"), [([], "no secret"), (["--secret", "canary"], "whsec_")])
def test_listen_refuses_to_start_in_one_sentence(arguments: list[str], why: str) -> None:
    app = typer.Typer()
    webhook.register(app)
    result = CliRunner().invoke(app, ["webhook", "listen", *arguments], env={"PPE_WEBHOOK_SECRET": ""})
    assert result.exit_code == 2
    assert why in result.stderr
    assert "canary" not in result.output


PROGRAM = """
import typer
from service.cli import webhook
app = typer.Typer()
webhook.register(app)
app()
"""


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "webhook", "listen", "--port", "0", *arguments],
        env={**os.environ, "PPE_WEBHOOK_SECRET": SECRET, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "Listening on http://127.0.0.1:" in said, said
    try:
        yield process, int(said.partition("127.0.0.1:")[2].partition("/")[0])
    finally:
        process.kill()
        process.communicate()


def test_listen_prints_a_line_for_each_and_leaves_after_one_when_told() -> None:
    sender_of = "http://127.0.0.1:{}/".format
    with command("--once", "--fail", "1") as (process, port):
        stranger = WebhookSender(sender_of(port), OTHER, RealClock(), lan=True)
        assert not stranger.send(message(payload=BODY)).done
        sender = WebhookSender(sender_of(port), SECRET, RealClock(), lan=True)
        assert [sender.send(message(payload=BODY)).done for _ in range(2)] == [False, True]
        printed, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    lines = printed.splitlines()
    assert len(lines) == 3
    assert "answered 401: no matching signature" in lines[0]
    assert "answered 500" in lines[1]
    assert "alert.fired" in lines[2]
    assert "Worker\\x1b[2J without helmet" in lines[2]
    assert "msg_north_1" in lines[2]


def test_listen_prints_json_and_stops_on_sigterm() -> None:
    with command("--json") as (process, port):
        sender = WebhookSender(f"http://127.0.0.1:{port}/", SECRET, RealClock(), lan=True)
        assert all(sender.send(message(payload=BODY)).done for _ in range(2))
        process.terminate()
        printed, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    first, second = (json.loads(line) for line in printed.splitlines())
    assert first["event"] == json.loads(BODY)
    assert (first["duplicate"], second["duplicate"]) == (False, True)


def test_the_command_imports_nothing_heavy_until_it_runs() -> None:
    program = (
        "import sys, service.cli.webhook; print({'httpcore', 'standardwebhooks', 'http.server'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
