"""Pictures of alerts by HTTP: given once and then known, or gone with a reason."""

from __future__ import annotations

import re
from typing import get_args

import httpx
import pytest

from service.ports import Still
from service.store.evidence import Why
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made
from tests.store.made import JPEG, alert


def test_a_picture_is_given_once_and_then_known(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    made.store.record([], [Still(alert(1).id, "crop", JPEG)], [])
    path = f"/v1/alerts/{alert(1).id}/evidence/crop"
    first = desk.get(path)
    assert (first.status_code, first.content) == (200, JPEG)
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["cache-control"] == "private, max-age=86400, immutable"
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = desk.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert desk.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_picture_that_is_not_there_any_more(made: Made, desk: httpx.Client) -> None:
    made.fire(1)
    gone = desk.get(f"/v1/alerts/{alert(1).id}/evidence/annotated")
    assert refusal(gone) == "EVIDENCE_GONE"
    assert gone.headers["cache-control"] == "no-store"
    assert gone.json()["why"] is None
    assert refusal(desk.get(f"/v1/alerts/{alert(2).id}/evidence/annotated")) == "ALERT_NOT_FOUND"
    assert refusal(desk.get(f"/v1/alerts/{alert(1).id}/evidence/film")) == "PARAMETER_INVALID"


@pytest.mark.parametrize("why", get_args(Why))
def test_it_says_why_a_picture_is_gone(made: Made, desk: httpx.Client, why: Why) -> None:
    made.fire(1)
    made.store.gone[alert(1).id, "crop"] = why
    gone = desk.get(f"/v1/alerts/{alert(1).id}/evidence/crop").json()
    assert gone["why"] == why
    assert re.fullmatch(r"The alert is kept, its crop picture is not, or not any more: .+\.", gone["detail"])
