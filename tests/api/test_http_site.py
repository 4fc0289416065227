"""Cameras are added, changed and taken away by HTTP, over a real site file and cameras that only take notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import cast

import cv2
import httpx
import numpy as np
import pytest

from service.health import View
from service.safety.detections import Detections
from service.sitefile import read_site
from service.wiring.upkeep import LiveSite
from tests.api.keyed import Keyed, keyed
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked
from tests.test_upkeep import TEXT, Notes

LOCKED = """\
cameras:
  gate: {source: rtsp://10.0.0.5/live, user: ann, password_env: GATE_PASSWORD}
  dock: {source: rtsp://10.0.0.6/live, user: ann, password_env: DOCK_PASSWORD}
"""
ENTRY = {"source": "rtsp://10.0.0.5/live", "fps": 2}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return at(tmp_path, Made())


def at(folder: Path, made: Made, text: str = TEXT) -> Made:
    """Give a desk a site."""
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    made.site = LiveSite(read_site(path), path, Notes())
    return made


@pytest.fixture
def desk(made: Made) -> Iterator[httpx.Client]:
    with asked(made) as (client, _):
        yield client


def test_a_camera_is_changed_for_the_version_that_was_read(desk: httpx.Client) -> None:
    read = desk.get("/v1/cameras/gate/entry").json()
    assert list(read["entry"]) == ["source", "zones"]
    known = {"If-Match": f'"{read["version"]}"'}
    made = desk.put("/v1/cameras/gate", json=ENTRY, headers=known).json()
    assert (made["changed"], made["added"], made["removed"], made["at_next_start"]) == (["gate"], [], [], [])
    assert desk.get("/v1/cameras/gate/entry").json() == {"version": made["version"], "entry": ENTRY}
    assert refusal(desk.put("/v1/cameras/gate", json=read["entry"], headers=known)) == "SITE_CHANGED"


def test_a_camera_comes_and_goes(desk: httpx.Client) -> None:
    assert desk.put("/v1/cameras/roof", json={"source": "rtsp://10.0.0.7/live"}).json()["added"] == ["roof"]
    assert desk.delete("/v1/cameras/roof").json()["removed"] == ["roof"]
    assert refusal(desk.delete("/v1/cameras/roof")) == "CAMERA_NOT_FOUND"
    assert refusal(desk.get("/v1/cameras/roof/entry")) == "CAMERA_NOT_FOUND"


def test_the_file_is_read_again(desk: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(TEXT.replace("6/live", "6/sub"), encoding="utf-8")
    assert desk.post("/v1/site/reload").json()["changed"] == ["dock"]
    path.write_text("cameras: {}\n", encoding="utf-8")
    assert refusal(desk.post("/v1/site/reload")) == "SITE_INVALID"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "BODY_INVALID"),
        ("[]", "BODY_INVALID"),
        ("{", "BODY_INVALID"),
        ("[" * 20_000, "BODY_INVALID"),
        ('{"source": "rtsp://10.0.0.5/live", "fps": 99}', "SITE_INVALID"),
        ('{"source": "' + "a" * 70_000 + '"}', "BODY_TOO_LARGE"),
        ('{"source": "rtsp://a:canary@10.0.0.5/"}', "SITE_INVALID"),
        ('{"source": "rtsp://10.0.0.5/live", "fps": NaN}', "SITE_INVALID"),
        ('{"source": "rtsp://10.0.0.5/live", "name": "\\ud800"}', "SITE_INVALID"),
    ],
    ids=["empty", "list", "cut", "deep", "fps", "large", "login", "nan", "half"],
)
def test_what_is_refused_changes_nothing(desk: httpx.Client, tmp_path: Path, body: str, code: str) -> None:
    answer = desk.put("/v1/cameras/gate", content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == code
    assert "canary" not in answer.text
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == TEXT


def test_a_password_goes_to_the_host_that_the_file_has_for_it_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GATE_PASSWORD", "DOCK_PASSWORD", "ANY_SECRET"):
        monkeypatch.setenv(name, "canary")
    made = at(tmp_path, Made(), LOCKED)
    login = {"user": "ann", "password_env": "GATE_PASSWORD"}
    with asked(made) as (desk, _):
        same = {"source": "rtsp://10.0.0.5:8554/other", "fps": 2, **login}
        assert desk.put("/v1/cameras/gate", json=same).json()["changed"] == ["gate"]
        assert desk.put("/v1/cameras/roof", json=same).json()["added"] == ["roof"]
        before = (tmp_path / "site.yaml").read_text(encoding="utf-8")
        for source in ("rtsp://10.0.0.66/live", "rtsp://10.0.0.6/live", "RTSP://10.0.0.5.example.org/", "yard.mp4", 5):
            for ask in (lambda entry: desk.put("/v1/cameras/gate", json=entry), lambda entry: tried(desk, entry)):
                answer = ask({"source": source, **login})
                assert (refusal(answer), "canary" in answer.text) == ("SITE_INVALID", False)
        assert refusal(desk.put("/v1/cameras/dock", json={**same, "password_env": "ANY_SECRET"})) == "SITE_INVALID"
    assert (tmp_path / "site.yaml").read_text(encoding="utf-8") == before


def tried(desk: httpx.Client, entry: dict[str, object]) -> httpx.Response:
    return desk.post("/v1/site/try", json=entry)


def test_another_page_can_not_send_it(desk: httpx.Client) -> None:
    answer = desk.put("/v1/cameras/gate", content=b"{}", headers={"Content-Type": "text/plain"})
    assert refusal(answer) == "UNSUPPORTED_MEDIA_TYPE"


def test_where_there_are_keys_it_takes_an_admin_and_is_written_down(tmp_path: Path) -> None:
    with keyed() as found:
        at(tmp_path, found.made)
        _refused_to_all_but_an_admin(found)


def _refused_to_all_but_an_admin(found: Keyed) -> None:
    # the desk was handed out before it had a site, so that the answer of the admin is that there is none
    for scope in ("detect", "read", "operate"):
        with found.client(scope) as client:  # type: ignore[arg-type]
            assert refusal(client.put("/v1/cameras/gate", json=ENTRY)) == "FORBIDDEN"
            assert refusal(client.delete("/v1/cameras/gate")) == "FORBIDDEN"
            assert refusal(client.get("/v1/cameras/gate/entry")) == "FORBIDDEN"
            assert refusal(client.post("/v1/site/reload")) == "FORBIDDEN"
    with found.client("admin") as client:
        assert refusal(client.put("/v1/cameras/gate", json=ENTRY)) == "SITE_UNWRITABLE"
    done = [(entry.action, entry.object, entry.outcome) for entry in found.entries() if entry.action == "camera.put"]
    assert done == [("camera.put", "gate", "SITE_UNWRITABLE")]


def test_the_pictures_of_a_wall_come_at_once_and_only_those_that_are_new(made: Made, desk: httpx.Client) -> None:
    asked = {"camera": "gate,dock,nobody,gate", "width": "32"}
    nobody = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), 64, 48)

    def get(known: str = "") -> dict[str, tuple[str, bytes]]:
        answer = desk.get("/v1/pictures", params=asked, headers={"If-None-Match": known} if known else {})
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code == 204:
            assert answer.content == b""
            return {}
        kind = answer.headers["content-type"]
        told = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + answer.content)
        assert told.get_content_type() == "multipart/form-data"
        parts = cast(list[Message], told.get_payload())
        assert {part.get_content_type() for part in parts} == {"image/jpeg"}
        named = ((str(part.get_param("name", header="content-disposition")), part) for part in parts)
        return {name: (part.get_filename() or "", cast(bytes, part.get_payload(decode=True))) for name, part in named}

    assert get() == {}
    for name, value in (("gate", 40), ("dock", 200)):
        made.health.views[name] = View(np.full((48, 64, 3), value, np.uint8), (), nobody, blurred=False)
    both = get()
    assert list(both) == ["gate", "dock"]
    for name, value in (("gate", 40), ("dock", 200)):
        drawn = cv2.imdecode(np.frombuffer(both[name][1], np.uint8), cv2.IMREAD_COLOR)
        assert drawn is not None
        assert (drawn.shape, round(drawn.mean())) == ((24, 32, 3), value)
    tags = [f'"{tag}"' for tag, _ in both.values()]
    assert list(get(tags[0])) == ["dock"]
    assert get(", ".join(tags)) == {}
    made.health.views["gate"] = View(np.zeros((48, 64, 3), np.uint8), (), nobody, blurred=False)
    assert list(get(",".join(tags))) == ["gate"]
    assert refusal(desk.get("/v1/pictures")) == "PARAMETER_INVALID"
    assert refusal(desk.get("/v1/pictures", params={"camera": ",".join(map(str, range(65)))})) == "PARAMETER_INVALID"


def test_the_last_judged_picture_is_drawn_without_faces(made: Made, desk: httpx.Client) -> None:
    assert refusal(desk.get("/v1/cameras/gate/picture")) == "NO_PICTURE"
    assert refusal(desk.get("/v1/cameras/nobody/picture")) == "CAMERA_NOT_FOUND"
    image = np.tile((np.indices((360, 640)).sum(0) % 2 * 255).astype(np.uint8)[..., None], (1, 1, 3))
    seen = Detections(
        boxes=np.array([[200, 100, 260, 160]]),
        confidence=np.array([0.9]),
        class_id=np.array([1]),
        width=640,
        height=360,
    )
    made.health.views["gate"] = View(image, (), seen, blurred=True)
    answer = desk.get("/v1/cameras/gate/picture")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "no-store")
    drawn = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (360, 640, 3)
    assert drawn[140:155, 210:250].std() < drawn[20:60, 20:60].std() / 2
    made.health.views["gate"] = replace(made.health.views["gate"], blurred=False)
    plain = cv2.imdecode(np.frombuffer(desk.get("/v1/cameras/gate/picture").content, np.uint8), cv2.IMREAD_COLOR)
    assert plain is not None
    assert plain[140:155, 210:250].std() > drawn[140:155, 210:250].std()
