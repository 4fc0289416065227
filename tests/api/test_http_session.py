"""A browser signs in with a key and goes on with a cookie: what that lets in, and what ends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


PASSWORD = "correct horse battery"


def added(service: Keyed, name: str = "Ann", role: str = "operator") -> str:
    """Add a user by the API; return their id."""
    with service.client("admin") as admin:
        made = admin.post("/v1/users", json={"name": name, "role": role, "password": PASSWORD})
    assert made.status_code == 200, made.text
    assert "password" not in made.text
    return str(made.json()["id"])


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_a_user_signs_in_by_name_and_password(service: Keyed, role: str) -> None:
    user = added(service, role=role)
    with service.client() as browser:
        told = browser.post("/v1/session/user", json={"name": "ANN", "password": PASSWORD}).json()
        assert (told["name"], told["role"], told["user"], told["signed_in"]) == ("Ann", role, True, True)
        assert browser.get("/v1/alerts").status_code == 200
    with service.client("admin") as admin:
        (row,) = [one for one in admin.get("/v1/keys").json()["keys"] if one["kind"] == "user"]
        assert (row["id"], row["name"], row["used_at"] is None) == (user, "Ann", False)
    begun = [entry for entry in service.entries() if entry.action == "session.begin"]
    assert [(entry.key, entry.name) for entry in begun] == [(user, "Ann")]
    assert all(PASSWORD not in repr(entry) for entry in service.records.entries)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Ann", "password": "wrong"},
        {"name": "nobody", "password": PASSWORD},
        {"name": "read key", "password": PASSWORD},
    ],
)
def test_another_name_or_password_lets_nobody_in(service: Keyed, said: dict[str, str]) -> None:
    added(service)
    with service.client() as browser:
        answer = browser.post("/v1/session/user", json=said)
        assert refusal(answer) == "UNAUTHENTICATED"
        assert "set-cookie" not in answer.headers
        assert answer.json()["detail"] == "No user of this name has this password. `ppe user create` makes users."


def test_who_guesses_passwords_waits_however_many_at_once(service: Keyed) -> None:
    added(service)
    with service.client() as browser, ThreadPoolExecutor(30) as at_once:
        guesses = [
            at_once.submit(browser.post, "/v1/session/user", json={"name": "Ann", "password": f"guess {n}"})
            for n in range(30)
        ]
        codes = Counter(refusal(one.result()) for one in guesses)
        assert codes == {"UNAUTHENTICATED": TRIES, "RATE_LIMITED": 30 - TRIES}
        service.made.clock.sleep(61)
        for _ in range(3 * TRIES):  # who is let in is never counted
            assert browser.post("/v1/session/user", json={"name": "Ann", "password": PASSWORD}).status_code == 200


def test_a_user_changes_their_password_and_their_other_sessions_end(service: Keyed) -> None:
    added(service)
    new = "staple the donkey"
    with service.client() as here, service.client() as elsewhere:
        csrf = {"X-CSRF-Token": ""}
        for browser in (elsewhere, here):
            told = browser.post("/v1/session/user", json={"name": "Ann", "password": PASSWORD}).json()
            csrf = {"X-CSRF-Token": told["csrf"]}
        path, change = "/v1/session/password", {"password": PASSWORD, "new": new}
        assert refusal(here.put(path, json=change)) == "FORBIDDEN"
        assert refusal(here.put(path, json={**change, "password": "wrong"}, headers=csrf)) == "BODY_INVALID"
        assert refusal(here.put(path, json={**change, "new": "short"}, headers=csrf)) == "BODY_INVALID"
        assert refusal(here.put(path, json={**change, "new": "aaaaaaaaaaaa"}, headers=csrf)) == "BODY_INVALID"
        assert elsewhere.get("/v1/alerts").status_code == 200
        assert here.put(path, json=change, headers=csrf).json()["signed_in"] is True
        assert here.get("/v1/alerts").status_code == 200
        assert refusal(elsewhere.get("/v1/alerts")) == "UNAUTHENTICATED"
        assert refusal(elsewhere.put(path, json=change)) == "UNAUTHENTICATED"
        assert (
            refusal(elsewhere.post("/v1/session/user", json={"name": "Ann", "password": PASSWORD})) == "UNAUTHENTICATED"
        )
        assert elsewhere.post("/v1/session/user", json={"name": "Ann", "password": new}).status_code == 200


def test_a_key_has_no_password(service: Keyed) -> None:
    with service.client() as browser:
        csrf = {"X-CSRF-Token": enter(service, browser, "admin")}
        change = {"password": PASSWORD, "new": "staple the donkey"}
        assert refusal(browser.put("/v1/session/password", json=change, headers=csrf)) == "FORBIDDEN"
        assert browser.get("/v1/session").json()["user"] is False


def test_an_admin_gives_another_password_and_lets_a_user_in_no_more(service: Keyed) -> None:
    user = added(service)
    with service.client() as browser, service.client("admin") as admin:
        said = {"name": "Ann", "password": PASSWORD}
        browser.post("/v1/session/user", json=said)
        path = f"/v1/users/{user}/password"
        assert refusal(admin.put("/v1/users/none/password", json={"password": "staple the donkey"})) == "KEY_NOT_FOUND"
        assert refusal(admin.put(path, json={"password": "aaaaaaaaaaaa"})) == "BODY_INVALID"
        assert admin.put(path, json={"password": "staple the donkey"}).status_code == 200
        assert refusal(browser.get("/v1/alerts")) == "UNAUTHENTICATED"
        assert refusal(browser.post("/v1/session/user", json=said)) == "UNAUTHENTICATED"
        said["password"] = "staple the donkey"
        assert browser.post("/v1/session/user", json=said).status_code == 200
        assert refusal(admin.post("/v1/users", json={**said, "name": "ann", "role": "viewer"})) == "BODY_INVALID"
        assert admin.delete(f"/v1/keys/{user}").status_code == 200
        assert refusal(browser.get("/v1/alerts")) == "UNAUTHENTICATED"
        assert refusal(browser.post("/v1/session/user", json=said)) == "UNAUTHENTICATED"
        assert admin.post("/v1/users", json={**said, "role": "viewer"}).status_code == 200
    for scope in ("detect", "read", "operate"):
        with service.client(scope) as other:
            assert refusal(other.post("/v1/users", json={**said, "name": "Bob", "role": "admin"})) == "FORBIDDEN"


def test_an_open_service_needs_no_session() -> None:
    with asked(Made()) as (client, _):
        told = client.get("/v1/session").json()
    assert (told["needed"], told["signed_in"], told["role"], told["csrf"]) == (False, True, "admin", None)
