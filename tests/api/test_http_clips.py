"""Clips of alerts by HTTP: not yet, there and in parts, gone, or never; and the clean picture, for few."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.problems import Problem
from service.api.ranges import ranged
from service.keys import identity
from service.ports import Still
from service.store.evidence import PENDING
from tests.api.keyed import Keyed, keyed
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made
from tests.store.made import JPEG, alert, fired

MP4 = bytes(range(100))
CLIP = f"/v1/alerts/{alert(1).id}/evidence/clip"
CLEAN = f"/v1/alerts/{alert(1).id}/evidence/clean"


def write(path: Path) -> None:
    path.write_bytes(MP4)


@pytest.fixture
def pending(made: Made) -> Made:
    made.store.record([fired(alert(1))], [], [], [alert(1).id])
    return made


def test_a_clip_is_not_yet_there_then_there_then_gone(pending: Made, desk: httpx.Client) -> None:
    early = desk.get(CLIP)
    assert (early.status_code, early.json()["code"]) == (202, "EVIDENCE_PENDING")
    assert (early.headers["retry-after"], early.headers["cache-control"]) == ("3", "no-store")
    assert desk.get(f"/v1/alerts/{alert(1).id}").json()["evidence"]["clip"] is None
    pending.store.keep_clip(alert(1).id, write)
    there = desk.get(CLIP)
    assert (there.status_code, there.content, there.headers["content-type"]) == (200, MP4, "video/mp4")
    assert there.headers["accept-ranges"] == "bytes"
    assert desk.get(f"/v1/alerts/{alert(1).id}").json()["evidence"]["clip"] == CLIP
    assert desk.get(CLIP, headers={"If-None-Match": there.headers["etag"]}).status_code == 304
    del pending.store.stills[alert(1).id, "clip"]
    pending.store.gone[alert(1).id, "clip"] = "age"
    gone = desk.get(CLIP)
    assert refusal(gone) == "EVIDENCE_GONE"
    assert (gone.status_code, gone.json()["why"]) == (410, "age")


@pytest.mark.parametrize(
    ("why", "code"), [("not_written", "NO_CLIP"), ("lost", "NO_CLIP"), ("erased", "EVIDENCE_GONE")]
)
def test_it_says_why_there_is_none(pending: Made, desk: httpx.Client, why: str, code: str) -> None:
    pending.store.gone[alert(1).id, "clip"] = why
    answer = desk.get(CLIP)
    assert (refusal(answer), answer.json()["why"]) == (code, why)
    assert ": " in answer.json()["detail"]


def test_of_an_alert_without_clips_and_of_none(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    off = desk.get(CLIP)
    assert (refusal(off), off.status_code, off.json()["why"]) == ("NO_CLIP", 404, "off")
    assert refusal(desk.get("/v1/alerts/none/evidence/clip")) == "ALERT_NOT_FOUND"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-1000", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=0-0", (0, 0)),
    ],
)
def test_a_browser_gets_parts(pending: Made, desk: httpx.Client, asked: str, part: tuple[int, int]) -> None:
    pending.store.keep_clip(alert(1).id, write)
    answer = desk.get(CLIP, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, MP4[part[0] : part[1] + 1])
    assert answer.headers["content-range"] == f"bytes {part[0]}-{part[1]}/100"
    tag = answer.headers["etag"]
    assert desk.get(CLIP, headers={"Range": asked, "If-Range": tag}).status_code == 206
    assert desk.get(CLIP, headers={"Range": asked, "If-Range": '"other"'}).content == MP4


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "0-1"])
def test_what_is_no_part_is_answered_with_the_whole(pending: Made, desk: httpx.Client, asked: str) -> None:
    pending.store.keep_clip(alert(1).id, write)
    answer = desk.get(CLIP, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, MP4)


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_part_behind_the_end(pending: Made, desk: httpx.Client, asked: str) -> None:
    pending.store.keep_clip(alert(1).id, write)
    answer = desk.get(CLIP, headers={"Range": asked})
    assert (refusal(answer), answer.status_code) == ("RANGE_NOT_SATISFIABLE", 416)
    assert answer.headers["content-range"] == "bytes */100"


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,20}-\d{0,20}", fullmatch=True), st.binary(max_size=50))
def test_any_range_gives_the_whole_a_part_or_a_problem(asked: str, body: bytes) -> None:
    try:
        answer = ranged(body, "video/mp4", {"ETag": '"a"'}, asked, None)
    except Problem as problem:
        assert problem.code == "RANGE_NOT_SATISFIABLE"
        return
    assert bytes(answer.body) in body
    assert (answer.status_code == 206) == ("content-range" in answer.headers)
    assert answer.status_code == 206 or answer.body == body


@pytest.fixture
def service() -> Iterator[Keyed]:
    with keyed() as found:
        found.made.fire(1)
        found.made.store.record([], [Still(alert(1).id, kind, JPEG) for kind in ("annotated", "clean")], [])
        yield found


def test_the_clean_picture_is_for_admins_and_each_look_is_written_down(service: Keyed) -> None:
    for scope in ("detect", "read", "operate"):
        with service.client(scope) as client:  # type: ignore[arg-type]
            assert refusal(client.get(CLEAN)) == "FORBIDDEN"
    with service.client() as nobody:
        assert refusal(nobody.get(CLEAN)) == "UNAUTHENTICATED"
    with service.client("read") as reader:
        assert reader.get(CLEAN.replace("clean", "annotated")).content == JPEG
    with service.client("admin") as admin:
        for _ in range(2):
            answer = admin.get(CLEAN)
            assert (answer.content, answer.headers["cache-control"]) == (JPEG, "no-store")
        assert refusal(admin.get("/v1/alerts/none/evidence/clean")) == "ALERT_NOT_FOUND"
    key = identity(service.tokens["admin"])
    told = [(one.key, one.object, one.outcome) for one in service.entries() if one.action == "evidence.clean"]
    assert told == [(key, alert(1).id, "done")] * 2 + [(key, "none", "ALERT_NOT_FOUND")]


def test_where_the_service_is_open_the_clean_picture_is_too(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    made.store.record([], [Still(alert(1).id, "clean", JPEG)], [])
    assert desk.get(CLEAN).content == JPEG


def test_a_clip_needs_read_alone(service: Keyed) -> None:
    service.made.store.record([fired(alert(2))], [], [], [alert(2).id])
    assert service.made.store.gone[alert(2).id, "clip"] == PENDING
    with service.client("read") as reader:
        assert reader.get(CLIP.replace(alert(1).id, alert(2).id)).status_code == 202
    with service.client("detect") as other:
        assert refusal(other.get(CLIP)) == "FORBIDDEN"
