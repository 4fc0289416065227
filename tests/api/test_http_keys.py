"""API keys over HTTP: who comes in, with what, what they may, and what the audit log says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
import structlog
from fastapi.routing import APIRoute

from service.api.keyring import USED_EVERY_MS
from service.api.routes import deepstack, roboflow
from service.keys import SCOPES, Scope, identity
from service.ports import StoreUnavailable
from service.store.fake_keys import FakeKeys
from tests.api.keyed import FILE, Keyed, keyed
from tests.api.test_http_refusals import GOOD, refusal
from tests.store.made import alert

ALERT = f"/v1/alerts/{alert(1).id}"
JSON = {"Content-Type": "application/json"}
REQUESTS: list[tuple[str, str, Scope]] = [
    ("POST", "/v1/detect", "detect"),
    ("POST", "/v1/vision/detection", "detect"),
    ("POST", "/infer/object_detection", "detect"),
    ("POST", "/ppe/1", "detect"),
    ("GET", "/v1/alerts", "read"),
    ("GET", ALERT, "read"),
    ("GET", f"{ALERT}/evidence/crop", "read"),
    ("GET", "/v1/cameras", "read"),
    ("GET", "/v1/cameras/gate", "read"),
    ("GET", "/v1/cameras/gate/picture", "read"),
    ("GET", "/v1/pictures", "read"),
    ("GET", "/v1/cameras/gate/zones", "read"),
    ("GET", "/v1/stats", "read"),
    ("POST", f"{ALERT}/acknowledge", "operate"),
    ("POST", f"{ALERT}/snooze", "operate"),
    ("POST", f"{ALERT}/false", "operate"),
    ("GET", "/v1/keys", "admin"),
    ("POST", "/v1/keys", "admin"),
    ("POST", "/v1/users", "admin"),
    ("PUT", "/v1/users/none/password", "admin"),
    ("DELETE", "/v1/keys/none", "admin"),
    ("GET", "/v1/audit", "admin"),
]
MAY: dict[Scope, set[Scope]] = {
    "detect": {"detect"},
    "read": {"read"},
    "operate": {"operate", "read"},
    "admin": set(SCOPES),
}
OPEN = [
    "/healthz",
    "/readyz",
    "/v1/session",
    "/docs",
    "/openapi.json",
    "/docs-assets/swagger-ui.css",
]


@pytest.fixture
def service() -> Iterator[Keyed]:
    with keyed() as found:
        found.made.fire(1)
        yield found


@pytest.fixture(scope="module")
def standing() -> Iterator[Keyed]:
    """A service for requests that change nothing."""
    with keyed() as found:
        yield found


@pytest.mark.parametrize(("method", "path", "needed"), REQUESTS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_scope_covers(
    standing: Keyed, method: str, path: str, needed: Scope, scope: Scope
) -> None:
    with standing.client(scope) as client:
        answer = client.request(method, path, content=b"", headers=JSON)
    if needed in MAY[scope]:
        assert answer.status_code not in {401, 403}
    else:
        assert refusal(answer) == "FORBIDDEN"
        assert answer.headers["www-authenticate"] == f'Bearer realm="ppe", error="insufficient_scope", scope="{needed}"'


@pytest.mark.parametrize(("method", "path", "needed"), REQUESTS)
def test_without_a_key_nothing_is_said(standing: Keyed, method: str, path: str, needed: Scope) -> None:
    with standing.client() as client:
        answer = client.request(method, f"{path}?nonsense=1", content=b"rubbish", headers=JSON)
    assert refusal(answer) == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"] == 'Bearer realm="ppe"'


def test_no_route_was_forgotten(standing: Keyed) -> None:
    """Whatever the document tells of, and whatever shapes of others are answered, needs a key."""
    with standing.client() as client:
        documented = client.get("/openapi.json").json()["paths"]
        routes = [(method, path) for path, methods in documented.items() for method in methods]
        for route in (*deepstack.router.routes, *roboflow.router.routes):
            assert isinstance(route, APIRoute)
            routes += [(method, route.path) for method in route.methods]
        assert len(routes) > 20
        for method, path in routes:
            asked = re.sub(r"{.*?}", "1", path)
            answer = client.request(method, asked)
            assert (answer.status_code == 401) == (path not in {*OPEN, "/v1/session/user"}), path


@pytest.mark.parametrize("path", OPEN)
def test_probes_and_explanations_are_open(standing: Keyed, path: str) -> None:
    with standing.client() as client:
        assert client.get(path).status_code == 200


def test_both_headers_are_taken(standing: Keyed) -> None:
    token = standing.tokens["read"]
    with standing.client() as client:
        for headers in (
            {"X-API-Key": token},
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"bearer {token}"},
        ):
            assert client.get("/v1/cameras", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "{}x"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer {}0"},
        {"Authorization": "Basic {}"},
        {"Authorization": "{}"},
        {"Authorization": "Bearer ppe_{:.0}00000000_" + "0" * 64},
        {"Authorization": "Bearer \u00fc"},
        {"Cookie": "key={}"},
    ],
)
def test_what_is_no_key_is_answered_alike(standing: Keyed, headers: dict[str, str]) -> None:
    told = {name: value.format(standing.tokens["read"]).encode("utf-8") for name, value in headers.items()}
    with standing.client() as client:
        answer = client.get("/v1/cameras", headers={**told, "X-Request-ID": "one"})
        none = client.get("/v1/cameras", headers={"X-Request-ID": "one"})
    assert refusal(answer) == "UNAUTHENTICATED"
    assert answer.content == none.content


def test_a_key_in_the_address_is_none(standing: Keyed) -> None:
    with standing.client() as client:
        assert refusal(client.get(f"/v1/cameras?key={standing.tokens['read']}")) == "UNAUTHENTICATED"


def test_the_file_s_key_may_everything_and_is_in_no_list(service: Keyed) -> None:
    with service.client(**{"X-API-Key": FILE}) as client:
        assert client.post("/v1/detect", content=GOOD).status_code == 200
        told = client.get("/v1/keys").json()["keys"]
        assert client.post(f"{ALERT}/acknowledge", json={}).json()["acknowledged"]["by"] == "admin key file"
        assert client.delete("/v1/keys/file").status_code == 404
    assert {key["name"] for key in told} == {f"{scope} key" for scope in SCOPES}
    assert FILE not in str(told)


def test_a_key_is_made_used_and_revoked(service: Keyed) -> None:
    with service.client("admin") as admin:
        made = admin.post("/v1/keys", json={"name": "gate camera", "scopes": ["detect"]})
        assert made.headers["cache-control"] == "no-store"
        token, key = made.json()["token"], made.json()["id"]
        assert identity(token) == key
        with httpx.Client(base_url=service.url, headers={"X-API-Key": token}, timeout=60) as camera:
            assert camera.post("/v1/detect", content=GOOD).status_code == 200
            listed = {one["id"]: one for one in admin.get("/v1/keys").json()["keys"]}
            assert listed[key]["used_at"] == "2025-06-15T15:07:40.000Z"
            assert token.rpartition("_")[2] not in str(listed)
            revoked = admin.delete(f"/v1/keys/{key}")
            assert revoked.json()["revoked_at"] == "2025-06-15T15:07:40.000Z"
            assert refusal(camera.post("/v1/detect", content=GOOD)) == "UNAUTHENTICATED"
        service.made.clock.sleep(5)
        assert admin.delete(f"/v1/keys/{key}").json() == revoked.json()
    assert [(one.name, one.action, one.object) for one in service.entries() if one.action != "authenticate"] == [
        ("admin key", "key.create", f"{key} detect gate camera"),
        ("admin key", "key.revoke", f"{key} gate camera"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "", "scopes": ["read"]},
        {"name": "x" * 101, "scopes": ["read"]},
        {"name": "two\nlines", "scopes": ["read"]},
        {"name": "x", "scopes": ["read"], "hash": "0"},
    ],
)
def test_what_makes_no_key(standing: Keyed, body: dict[str, object]) -> None:
    before = len(standing.records.keys())
    with standing.client("admin") as client:
        assert refusal(client.post("/v1/keys", json=body)) == "BODY_INVALID"
    assert len(standing.records.keys()) == before


def test_the_last_use_is_kept_to_the_hour(service: Keyed) -> None:
    writes: list[int] = []
    keep = service.records.use_key
    service.records.use_key = lambda key, at_ms: (writes.append(at_ms), keep(key, at_ms))[1]  # type: ignore[method-assign]
    with service.client("read") as client:
        for _ in range(3):
            for _ in range(3):
                client.get("/v1/cameras")
            service.made.clock.sleep(USED_EVERY_MS / 1000)
    first = 1_750_000_060_000
    assert writes == [first, first + USED_EVERY_MS, first + 2 * USED_EVERY_MS]


def test_who_says_something_of_an_alert_is_the_key_unless_they_say_who(service: Keyed) -> None:
    with service.client("operate") as client:
        assert client.post(f"{ALERT}/acknowledge", json={}).json()["acknowledged"]["by"] == "operate key"
        assert client.post(f"{ALERT}/acknowledge", json={"by": "Kim"}).json()["acknowledged"]["by"] == "Kim"
        assert client.post(f"{ALERT}/false", json={"reason": "A statue."}).json()["false_alarm"]["by"] == "operate key"
        answer = client.post(f"{ALERT}/snooze", json={"until": "2025-06-15T16:00:00Z"})
        assert answer.json()["snoozed"]["by"] == "operate key"
        assert refusal(client.post("/v1/alerts/none/acknowledge", json={})) == "ALERT_NOT_FOUND"
        assert refusal(client.post(f"{ALERT}/snooze", json={})) == "BODY_INVALID"
    one, key = alert(1).id, identity(service.tokens["operate"])
    assert [(entry.key, entry.action, entry.object, entry.outcome) for entry in service.entries()] == [
        (key, "alert.acknowledge", one, "done"),
        (key, "alert.acknowledge", one, "done"),
        (key, "alert.false", one, "done"),
        (key, "alert.snooze", one, "done"),
        (key, "alert.acknowledge", "none", "ALERT_NOT_FOUND"),
        (key, "alert.snooze", one, "BODY_INVALID"),
    ]


def test_a_flood_of_refusals_is_a_few_lines(service: Keyed) -> None:
    with service.client() as nobody, service.client("read") as reader:
        for _ in range(50):
            nobody.get("/v1/alerts")
            reader.get("/v1/keys")
        service.made.clock.sleep(601)
        nobody.get("/v1/cameras")
    told = [
        (entry.name, entry.object.partition(" from ")[0], entry.outcome, entry.times) for entry in service.entries()
    ]
    assert told == [
        ("", "GET /v1/alerts", "UNAUTHENTICATED", 1),
        ("read key", "GET /v1/keys", "FORBIDDEN", 1),
        ("", "GET /v1/alerts", "UNAUTHENTICATED", 49),
        ("", "GET /v1/cameras", "UNAUTHENTICATED", 1),
    ]
    assert service.entries()[0].object.endswith(" from 127.0.0.1")


def test_what_was_counted_is_written_at_the_end() -> None:
    with keyed() as service, service.client() as nobody:
        for _ in range(3):
            nobody.get("/v1/alerts")
    assert [entry.times for entry in service.entries()] == [1, 2]


def test_the_audit_log_is_read_in_pages(service: Keyed) -> None:
    with service.client("admin") as admin:
        for _ in range(3):
            admin.post(f"{ALERT}/false", json={"reason": "A statue."})
        first = admin.get("/v1/audit?limit=2").json()["entries"]
        rest = admin.get(f"/v1/audit?before={first[-1]['number']}").json()["entries"]
    assert [entry["action"] for entry in first + rest] == ["alert.false"] * 3 + ["key.create"] * 4
    assert first[0] == {
        "number": 7,
        "at": "2025-06-15T15:07:40.000Z",
        "key": identity(service.tokens["admin"]),
        "name": "admin key",
        "action": "alert.false",
        "object": alert(1).id,
        "outcome": "done",
        "times": 1,
    }


def test_the_log_names_the_key_and_holds_none() -> None:
    with (
        structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged,
        keyed() as service,
        service.client("read") as client,
        service.client() as nobody,
    ):
        mine = {"X-Request-ID": "mine"}  # a line of the service of the test before may come late
        client.get("/v1/cameras", headers=mine)
        nobody.get("/v1/cameras", headers=mine)
        nobody.get("/healthz", headers={**mine, "X-API-Key": service.tokens["admin"]})
    lines = [line for line in logged if line["event"] == "request" and line["request_id"] == "mine"]
    assert [line.get("key") for line in lines] == [identity(service.tokens["read"]), None, None]
    assert not [token for token in service.tokens.values() if token.rpartition("_")[2] in str(logged)]


class Broken(FakeKeys):
    """A store whose disk is full after the keys were made."""

    full = False

    def note(self, entry: object) -> None:
        if self.full:
            raise StoreUnavailable("full")
        super().note(entry)  # type: ignore[arg-type]

    def use_key(self, key: str, at_ms: int) -> None:
        raise StoreUnavailable("full")


def test_a_full_disk_refuses_nobody_who_reads_and_tells_who_operates() -> None:
    records = Broken()
    with keyed(records=records) as service:
        service.made.fire(1)
        records.full = True
        with service.client("operate") as client:
            assert client.get("/v1/alerts").status_code == 200
            assert refusal(client.get("/v1/keys")) == "FORBIDDEN"
            assert refusal(client.post(f"{ALERT}/acknowledge", json={})) == "STORE_UNAVAILABLE"
        with service.client() as nobody:
            assert refusal(nobody.get("/v1/alerts")) == "UNAUTHENTICATED"


def test_an_open_service_has_no_keys_to_manage(client: httpx.Client) -> None:
    for method, path, needed in REQUESTS:
        if needed == "admin":
            answer = client.request(method, path, json={"name": "x", "scopes": ["admin"]})
            assert refusal(answer) == "UNAUTHENTICATED"
