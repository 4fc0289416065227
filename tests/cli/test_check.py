"""`ppe check`: what would not work once it is started, what can be tried, and that no secret is ever printed."""

from __future__ import annotations

import base64
import re
import socket
from pathlib import Path

import pytest

from service.cameras.fake import FakeSource
from service.cameras.trial import first_picture
from service.ports import CameraState
from tests.cameras.clocks import HeldClock
from tests.cameras.http_camera import Camera, http_camera, jpeg
from tests.cli.workers import run
from tests.delivery.scripted import always, receiving, status
from tests.pictures.films import film

SECRET = "whsec_" + base64.b64encode(b"geheim" * 5).decode()
HOOK = "endpoints:\n  here:\n    url: {}\n    secret_env: HOOK\n    lan: {}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_secret_before_is_looked_at_too(tmp_path: Path) -> None:
    text = f"cameras: {{gate: rtsp://10.0.0.5/a}}\n{HOOK.format('https://example.org/a', 'false')}"
    site = written(tmp_path, f"{text}    previous_secret_env: OLD\n")
    result = run("check", site, HOOK=SECRET, OLD="whsec_canary")
    assert result.exit_code == 1
    assert "line 7: endpoints.here.previous_secret_env: what OLD holds is no secret" in result.stderr
    assert "canary" not in result.output
    assert "not set in the environment: OLD (needed to start)" in run("check", site, HOOK=SECRET, OLD="").stderr


@pytest.mark.parametrize(
    ("url", "lan", "secret", "words"),
    [
        (
            "http://192.168.1.9/canary",
            "false",
            SECRET,
            "line 4: endpoints.here.url: a webhook URL begins with https://",
        ),
        ("https://192.168.1.9/canary", "false", SECRET, "line 4: endpoints.here.url: the host is on this machine or"),
        (
            "https://169.254.169.254/canary",
            "true",
            SECRET,
            "line 4: endpoints.here.url: the host's address is one that",
        ),
        ("http://8.8.8.8/canary", "true", SECRET, "line 4: endpoints.here.url: the host is not on a private network"),
        ("https://u:canary@h:x/canary", "false", SECRET, "line 4: endpoints.here.url: a webhook URL looks like"),
        ("https://example.org/canary", "false", SECRET[6:], "line 5: endpoints.here.secret_env: what HOOK holds is no"),
        ("https://example.org/canary", "false", "whsec_canary", "line 5: endpoints.here.secret_env: what HOOK holds"),
        ("https://example.org/canary", "false", "whsec_Y2FuYXJ5", "'whsec_' and 24 to 64 bytes in base64"),
        ("https://example.org/canary", "false", "", "not set in the environment: HOOK (needed to start)"),
    ],
)
def test_what_keeps_webhooks_from_arriving_is_told_with_its_line(
    tmp_path: Path, url: str, lan: str, secret: str, words: str
) -> None:
    site = written(tmp_path, f"cameras: {{gate: rtsp://10.0.0.5/a}}\n{HOOK.format(url, lan)}")
    result = run("check", site, HOOK=secret)
    assert result.exit_code == 1
    assert words in result.stderr
    assert not re.search(f"canary|Y2FuYXJ5|{SECRET[6:]}", result.output)


def test_a_site_that_is_only_observed_is_fine_without_its_endpoints_secret(tmp_path: Path) -> None:
    text = "mode: observe\ncameras: {gate: rtsp://10.0.0.5/a}\n" + HOOK.format("https://example.org/", "false")
    result = run("check", written(tmp_path, text), HOOK="")
    assert result.exit_code == 0
    assert "note: line 6: endpoints.here.secret_env: HOOK is not set: it will be needed once mode is" in result.stderr
    malformed = run("check", written(tmp_path, text), HOOK="whsec_canary")
    assert (malformed.exit_code, "canary" in malformed.output) == (0, False)
    assert "note: line 6: endpoints.here.secret_env: what HOOK holds is no secret" in malformed.stderr


def test_a_camera_that_judges_nobody_is_a_warning(tmp_path: Path) -> None:
    site = written(
        tmp_path,
        "cameras:\n  gate:\n    source: rtsp://10.0.0.5/a\n    zones:\n"
        "      office: {polygon: [[0, 0], [1, 0], [1, 1]], exempt: true}\n",
    )
    result = run("check", site)
    assert result.exit_code == 0
    assert f"{site}: warning: line 4: cameras.gate.zones: this camera judges nobody" in result.stderr
    assert "can be started, see the warning: 1 cameras" in result.stderr


def test_cameras_and_endpoints_are_really_tried_when_asked(tmp_path: Path) -> None:
    yard = film(tmp_path / "yard.mp4", pictures=10, rate=10, width=320, height=240)
    with http_camera(Camera(parts=[jpeg(64, 48)])) as camera, receiving(always(status(200))) as receiver:
        text = f"cameras: {{gate: '{camera.url}', yard: {yard}}}\n{HOOK.format(receiver.url, 'true')}"
        site = written(tmp_path, text)
        untried = run("check", site, HOOK=SECRET)
        assert (untried.exit_code, camera.hits, receiver.connections) == (0, 0, 0)
        result = run("check", site, "--try", HOOK=SECRET)
        assert (camera.hits, receiver.connections, receiver.requests) == (1, 1, [])
    assert result.exit_code == 0, result.stderr
    gate, picture, here = (line for line in result.stderr.splitlines() if line.startswith(("cameras", "endpoints")))
    assert re.fullmatch(r"cameras\.gate: a picture of 64x48 after \d+\.\d s", gate)
    assert picture.startswith("cameras.yard: a picture of 320x240 after ")
    assert here == "endpoints.here: it can be connected to; nothing was sent"


def test_what_does_not_work_is_told_by_its_try(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    cameras = (
        f"cameras:\n  gate: http://127.0.0.1:{port}/a?token=canary\n  film: {tmp_path}/broken.mp4\n"
        "  dock: {source: rtsp://10.0.0.5/a, user: ann, password_env: NOT_SET}\n"
    )
    site = written(tmp_path, cameras + HOOK.format(f"http://ann:canary@127.0.0.1:{port}/canary?key=canary", "true"))
    result = run("check", site, "--try", HOOK=SECRET)
    assert result.exit_code == 1
    assert "cameras.gate: STREAM_CONNECTION_FAILED: Nothing listens at the port" in result.stderr
    assert "cameras.film: SOURCE_INVALID: " in result.stderr
    assert "cameras.dock: not tried: NOT_SET is not set" in result.stderr
    assert "endpoints.here: can't connect: connection refused" in result.stderr
    assert not re.search(f"canary|{SECRET}", result.output)


def test_a_login_that_a_camera_asks_for_is_given_and_never_printed(tmp_path: Path) -> None:
    with http_camera(Camera(login=("ann", "canary"))) as camera:
        text = f"cameras: {{gate: {{source: '{camera.url}', user: ann, password_env: PASSWORD}}}}\n"
        right = run("check", written(tmp_path, text), "--try", PASSWORD="canary")
        wrong = run("check", written(tmp_path, text), "--try", PASSWORD="canary-2")
    assert (right.exit_code, wrong.exit_code) == (0, 1)
    assert "a picture of 64x48" in right.stderr
    assert "cameras.gate: STREAM_AUTH_FAILED" in wrong.stderr
    assert "canary" not in right.output + wrong.output


def test_a_camera_that_says_nothing_is_left_after_a_while() -> None:
    clock = HeldClock()
    connecting = CameraState("connecting", clock.now())
    assert first_picture(FakeSource([connecting, *[None] * 3], clock), clock, 20) is None
    assert clock.now().seconds >= 1020
    lost = CameraState("offline", clock.now(), "STREAM_LOST")
    assert first_picture(FakeSource([connecting, lost]), clock, 20) == lost


URLS = [
    "http://cam.example/video?token=canary",
    "http://cam.example/video?channel=1&key=abc/canary",
    "http://cam.example/video?canary",
    "rtsp://cam.example/user=admin&password=canary&channel=1",
    "cam.example/video?token=canary",
    "ftp://cam.example/video?token=canary",
    "http://169.254.169.254/video?token=canary",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("hook", ["https://ann:canary@example.org/canary?key=canary#canary", "https://h/a@canary/b"])
def test_no_login_and_no_parameter_is_printed(tmp_path: Path, url: str, hook: str) -> None:
    text = f"cameras: {{gate: '{url}'}}\n{HOOK.format(repr(hook), 'false')}"
    result = run("check", written(tmp_path, text), HOOK="whsec_canary")
    assert result.exit_code == 1
    assert "canary" not in result.output
    for command in (("watch",), ("serve", "--port", "0", "--site")):
        started = run(*command, tmp_path / "site.yaml", HOOK="whsec_canary", PPE_STORE=str(tmp_path / "store"))
        assert started.exit_code == 2
        assert "canary" not in started.output
