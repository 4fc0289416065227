"""A browser signs in with a key and goes on with a cookie: what that lets in, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.api.sessions import COOKIE, IDLE, LONGEST, TRIES
from tests.api.keyed import Keyed, keyed
from tests.api.test_http_refusals import refusal
from tests.api.watched import Made, asked

SAID = {"by": "", "note": "on my way"}


@pytest.fixture
def service() -> Iterator[Keyed]:
    with keyed() as found:
        yield found


def enter(service: Keyed, client: httpx.Client, scope: str) -> str:
    """Sign in; return the page's token."""
    told = client.post("/v1/session", json={"key": service.tokens[scope]}).json()
    return str(told["csrf"])


@pytest.mark.parametrize(("scope", "role"), [("read", "viewer"), ("operate", "operator"), ("admin", "admin")])
def test_a_cookie_stands_for_the_key(service: Keyed, scope: str, role: str) -> None:
    with service.client() as browser:
        assert browser.get("/v1/session").json()["signed_in"] is False
        answer = browser.post("/v1/session", json={"key": service.tokens[scope]})
        told = answer.json()
        assert (told["role"], told["name"], told["needed"]) == (role, f"{scope} key", True)
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert service.tokens[scope] not in cookie + answer.text
        assert browser.get("/v1/alerts").status_code == 200
        assert browser.get("/v1/session").json()["role"] == role
    assert ("session.begin", "done") in [(entry.action, entry.outcome) for entry in service.entries()]


def test_what_changes_something_needs_the_token_of_the_page(service: Keyed) -> None:
    alert = service.made.fire(1)[0].id
    with service.client() as browser:
        token = enter(service, browser, "operate")
        path = f"/v1/alerts/{alert}/acknowledge"
        assert refusal(browser.post(path, json={})) == "FORBIDDEN"
        assert refusal(browser.post(path, json={}, headers={"X-CSRF-Token": "guessed"})) == "FORBIDDEN"
        assert refusal(browser.request("DELETE", "/v1/session")) == "FORBIDDEN"
        assert (
            browser.post(path, json={}, headers={"X-CSRF-Token": token}).json()["acknowledged"]["by"] == "operate key"
        )


def test_a_session_may_no_more_than_its_key(service: Keyed) -> None:
    alert = service.made.fire(1)[0].id
    with service.client() as browser:
        token = {"X-CSRF-Token": enter(service, browser, "read")}
        for path in (f"/v1/alerts/{alert}/acknowledge", f"/v1/alerts/{alert}/false", "/v1/site/reload", "/v1/keys"):
            assert refusal(browser.post(path, json={}, headers=token)) == "FORBIDDEN"


def test_it_ends_by_signing_out(service: Keyed) -> None:
    with service.client() as browser:
        token = enter(service, browser, "read")
        kept = browser.cookies[COOKIE]
        assert browser.delete("/v1/session", headers={"X-CSRF-Token": token}).json()["signed_in"] is False
    with service.client() as thief:
        thief.cookies.set(COOKIE, kept)
        assert refusal(thief.get("/v1/alerts")) == "UNAUTHENTICATED"


def test_it_ends_when_its_key_is_revoked(service: Keyed) -> None:
    with service.client() as browser, service.client("admin") as admin:
        enter(service, browser, "read")
        (key,) = [one["id"] for one in admin.get("/v1/keys").json()["keys"] if one["name"] == "read key"]
        assert admin.delete(f"/v1/keys/{key}").status_code in {200, 204}
        assert refusal(browser.get("/v1/alerts")) == "UNAUTHENTICATED"


def test_it_ends_when_nobody_uses_it_and_after_a_week_in_any_case(service: Keyed) -> None:
    clock = service.made.clock
    with service.client() as browser:
        enter(service, browser, "read")
        began = clock.now().seconds
        while clock.now().seconds - began < LONGEST - IDLE:
            clock.sleep(IDLE - 60)
            assert browser.get("/v1/alerts").status_code == 200
        clock.sleep(began + LONGEST - clock.now().seconds + 1)
        assert refusal(browser.get("/v1/alerts")) == "UNAUTHENTICATED"
        enter(service, browser, "read")
        clock.sleep(IDLE + 1)
        assert refusal(browser.get("/v1/alerts")) == "UNAUTHENTICATED"


def test_who_guesses_keys_waits(service: Keyed) -> None:
    with service.client() as browser:
        for _ in range(TRIES):
            assert refusal(browser.post("/v1/session", json={"key": "ppe_0_guess"})) == "UNAUTHENTICATED"
        answer = browser.post("/v1/session", json={"key": service.tokens["read"]})
        assert refusal(answer) == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) > 0
        service.made.clock.sleep(61)
        assert browser.post("/v1/session", json={"key": service.tokens["read"]}).status_code == 200


def test_an_open_service_needs_no_session() -> None:
    with asked(Made()) as (client, _):
        told = client.get("/v1/session").json()
    assert (told["needed"], told["signed_in"], told["role"], told["csrf"]) == (False, True, "admin", None)
