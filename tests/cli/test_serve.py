from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.workers import photo, real_weights, run
from tests.conftest import ROOT

REAL = """
import atexit, sys
atexit.register(lambda: print("torch imported:", "torch" in sys.modules, flush=True))
from service.cli import app
app()
"""

PATIENT = """
import sys
from service.cli import app
from service.detectors.fake import FakeDetector
from service.safety.detections import empty

def see(image):
    if image.shape[0] == 240:
        print("seeing", flush=True)
        sys.stdin.readline()
    return empty(image.shape[1], image.shape[0])

app(obj=lambda settings: FakeDetector(see))
"""


@contextmanager
def served(script: str, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``ppe serve`` on a free port in a process of its own; give it and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, "serve", "--port", "0", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PPE_THREADS": "1", "PPE_STORE": "/nowhere", **environment},
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        found = re.search(r"Listening on (http://[\d.]+:\d+) ", line)
        assert found, line
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def test_it_gets_ready_answers_and_leaves_without_torch(tmp_path: Path) -> None:
    real_weights()
    with served(REAL) as (process, url):
        assert httpx.get(f"{url}/readyz").status_code == 200
        content = photo(tmp_path / "a.jpg").read_bytes()
        answer = httpx.post(f"{url}/v1/detect", files={"image": ("a.jpg", content)}, timeout=30)
        assert answer.status_code == 200
        assert "server" not in answer.headers
        process.send_signal(signal.SIGTERM)
        assert process.stdout
        assert process.stdout.read() == "torch imported: False\n"
        assert process.wait() == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_work_is_answered_before_it_stops(tmp_path: Path, ending: signal.Signals) -> None:
    content = photo(tmp_path / "a.jpg", 320, 240).read_bytes()
    answers: list[httpx.Response] = []
    with served(PATIENT) as (process, url):
        assert process.stdin
        assert process.stdout

        def ask() -> None:
            answers.append(httpx.post(f"{url}/v1/detect", files={"image": ("a.jpg", content)}, timeout=60))

        asking = threading.Thread(target=ask)
        asking.start()
        assert process.stdout.readline() == "seeing\n"
        process.send_signal(ending)
        _wait_until_closed(url)
        process.stdin.write("go on\n")
        process.stdin.flush()
        asking.join()
        assert process.wait() == 0
    assert answers[0].status_code == 200
    assert json.loads(answers[0].content)["images"][0]["people"] == []


def _wait_until_closed(url: str) -> None:
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(address):
                return
            select.select([probe], [], [], 0.1)
    raise AssertionError("it still takes connections")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--host", "0.0.0.0"), {}, "0.0.0.0 is reached from other machines, and there is no API key: make one with"),
        ((), {"PPE_HOST": "192.168.1.1"}, "192.168.1.1 is reached from other machines, and there is no API key"),
        (("--host", "example.org"), {}, "--host: 'example.org' is no address of this machine"),
        ((), {"PPE_ADMIN_KEY_FILE": "/nowhere/key"}, "PPE_ADMIN_KEY_FILE: /nowhere/key can't be read"),
        ((), {"PPE_ADMIN_KEY_FILE": "/dev/null"}, "PPE_ADMIN_KEY_FILE: /dev/null holds no key"),
        ((), {"PPE_TRUSTED_PROXIES": "*"}, "PPE_TRUSTED_PROXIES: '*' is no address or network"),
        (("--port", "70000"), {}, "--port: "),
        ((), {"PPE_PORT": "http"}, "PPE_PORT: "),
        ((), {"PPE_WEIGHTS": "/nowhere/manifest.json"}, "/nowhere/manifest.json: no weights manifest there"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    result = run("serve", *arguments, see=None, **{"PPE_PORT": "0", "PPE_STORE": "/nowhere", **environment})
    assert result.exit_code == 2
    assert result.stderr.startswith(f"ppe: {words}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


QUICK = """
from service.cli import app
from service.detectors.fake import FakeDetector

app(obj=lambda settings: FakeDetector())
"""


@pytest.mark.thorough
def test_with_a_key_it_listens_on_every_address_and_lets_nobody_else_in(tmp_path: Path) -> None:
    home = str(tmp_path / "store")
    token = run("key", "create", "gate", "--scope", "detect", PPE_STORE=home).stdout.strip()
    content = photo(tmp_path / "a.jpg").read_bytes()
    with served(QUICK, "--host", "0.0.0.0", PPE_STORE=home) as (_, told):
        url = told.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/readyz").status_code == 200
        assert httpx.post(f"{url}/v1/detect", content=content).status_code == 401
        assert httpx.post(f"{url}/v1/detect", content=content, headers={"X-API-Key": token}).status_code == 200
        assert run("key", "list", PPE_STORE=home).exit_code == 2
    assert ", used 20" in run("key", "list", PPE_STORE=home).stdout
    assert "POST /v1/detect from 127.0.0.1  UNAUTHENTICATED" in run("audit", PPE_STORE=home).stdout


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("proxies", "address"), [("127.0.0.1", "203.0.113.9"), ("10.0.0.5", "127.0.0.1"), ("", "127.0.0.1")]
)
def test_only_a_trusted_proxy_says_where_a_request_came_from(tmp_path: Path, proxies: str, address: str) -> None:
    file, home = tmp_path / "key", str(tmp_path / "store")
    file.write_text("0123456789abcdef" * 4)
    environment = {"PPE_ADMIN_KEY_FILE": str(file), "PPE_STORE": home, "PPE_TRUSTED_PROXIES": proxies}
    with served(QUICK, **environment) as (_, url):
        httpx.get(f"{url}/v1/alerts", headers={"X-Forwarded-For": "203.0.113.9"})
    assert f"GET /v1/alerts from {address}  UNAUTHENTICATED" in run("audit", PPE_STORE=home).stdout


def test_an_open_service_is_asked_by_its_own_names_only() -> None:
    with served(QUICK, PPE_ALLOWED_HOSTS="ppe.lan") as (_, url):
        statuses = [
            httpx.get(f"{url}/readyz", headers={"Host": name}).status_code for name in ("evil.example", "ppe.lan")
        ]
    assert statuses == [421, 200]


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 2
    assert result.stderr == (
        f"ppe: 127.0.0.1 port {port} can't be listened on (Address already in use); "
        "choose another with --port or PPE_PORT\n"
    )
