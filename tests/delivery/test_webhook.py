"""One attempt, against receivers that do everything that receivers do."""

from __future__ import annotations

import base64
import ssl
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery.webhook import WebhookSender, asked_wait
from tests.delivery.scripted import (
    OTHER,
    SECRET,
    Answer,
    HeldClock,
    RealClock,
    ScriptedReceiver,
    always,
    ids,
    message,
    one_after_another,
    receiving,
    status,
)

QUICK = 0.4
"""Deadline in seconds for receivers that never end."""
NOW = 1_772_456_587_000


def sender(url: str, deadline: float = 5.0, **more: object) -> WebhookSender:
    return WebhookSender(url, SECRET, HeldClock(NOW), **{"lan": True, "deadline": deadline, **more})  # type: ignore[arg-type]


def test_is_verified_by_the_library_and_refused_with_another_secret_a_changed_body_or_id() -> None:
    with receiving(always(status(200))) as receiver:
        assert WebhookSender(receiver.url, SECRET, RealClock(), lan=True).send(message()).done
    (request,) = receiver.requests
    assert Webhook(SECRET).verify(request.body, request.headers) == {"type": "alert.fired"}
    for secret, body, changed in (
        (OTHER, request.body, {}),
        (SECRET, request.body + b" ", {}),
        (SECRET, request.body, {"webhook-id": "msg_2"}),
        (SECRET, request.body, {"webhook-timestamp": str(int(request.headers["webhook-timestamp"]) - 1)}),
        (SECRET, request.body, {"webhook-timestamp": str(int(time.time()) - 301)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, {**request.headers, **changed})


def test_sends_json_and_asks_for_nothing_packed() -> None:
    with receiving(always(status(204))) as receiver:
        url = f"http://o%40p:p%3Ass@127.0.0.1:{receiver.port}/a%20b?key=1#not"
        assert sender(url).send(message(payload='{"name":"작업자"}')).done
    (request,) = receiver.requests
    assert request.line == "POST /a%20b?key=1 HTTP/1.1"
    assert request.body.decode() == '{"name":"작업자"}'
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("ppe-monitor/")
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"o@p:p:ss"


def test_id_is_kept_and_timestamp_is_fresh_in_every_attempt() -> None:
    clock = HeldClock(NOW)
    with receiving(one_after_another(always(status(500)), always(status(500)), always(status(200)))) as receiver:
        hook = WebhookSender(receiver.url, SECRET, clock, lan=True)
        for _ in range(3):
            last = hook.send(message())
            clock.sleep(300)
    assert last.done
    assert set(ids(receiver.requests)) == {"msg_north_1"}
    stamps = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
    assert stamps == [NOW // 1000 + 300 * number for number in range(3)]
    assert len({request.headers["webhook-signature"] for request in receiver.requests}) == 3


def test_a_connection_is_used_again() -> None:
    with receiving(always(status(200, body=b"thanks"))) as receiver:
        hook = sender(receiver.url)
        assert all(hook.send(message(number)).done for number in range(20))
        assert receiver.connections == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(code: int) -> None:
    with receiving(always(status(200))) as second:
        with receiving(always(status(code, f"Location: {second.url}"))) as first:
            attempt = sender(first.url).send(message())
        assert not attempt.done
        assert attempt.why == f"HTTP {code} (redirects are not followed)"
        assert second.connections == 0


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("1000000000", 1e9),
        ("9" * 6000, 1e12),
        (format_datetime(datetime.fromtimestamp(NOW / 1000, UTC) + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(days=1), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("²", None),
    ],
)
def test_a_wish_to_wait_is_read(code: int, header: str, asked: float | None) -> None:
    answer = f"HTTP/1.1 {code} x\r\nContent-Length: 0\r\nRetry-After: {header}\r\n\r\n".encode("latin-1")
    with receiving(always(answer)) as receiver:
        attempt = sender(receiver.url).send(message())
    assert (attempt.done, attempt.retry_after) == (False, asked)


@given(st.text(max_size=60))
def test_any_wish_is_a_number_or_ignored(header: str) -> None:
    wait = asked_wait(header, NOW)
    assert wait is None or wait >= 0


def cut(receiver: ScriptedReceiver) -> Answer:
    return always(b"")


def half_a_head(receiver: ScriptedReceiver) -> Answer:
    return always(b"HTTP/1.1 200 OK\r\nContent-", b"")


def no_http(receiver: ScriptedReceiver) -> Answer:
    return always(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"")


def many_headers(receiver: ScriptedReceiver) -> Answer:
    return always(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n")


def silence(receiver: ScriptedReceiver) -> Answer:
    return lambda _: iter(lambda: (receiver.stopped.wait(60) and b"") or b"", None)


def dripping_head(receiver: ScriptedReceiver) -> Answer:
    return lambda _: receiver.drip(status(200, *(f"X-{number}: y" for number in range(1000))))


@pytest.mark.parametrize("script", [cut, half_a_head, no_http, many_headers, silence, dripping_head])
def test_an_attempt_without_a_whole_answer_fails_in_time(script: Callable[[ScriptedReceiver], Answer]) -> None:
    with receiving(always()) as receiver:
        receiver.answer = script(receiver)
        began = time.monotonic()
        attempt = sender(receiver.url, QUICK).send(message())
        assert time.monotonic() - began < QUICK + 0.5
    assert not attempt.done
    assert attempt.why
    assert not attempt.give_up


def test_a_receiver_that_is_not_there_is_named_so() -> None:
    with receiving(always()) as receiver:
        pass
    assert sender(receiver.url).send(message()).why == "can't connect: connection refused"


def dripping_body(receiver: ScriptedReceiver) -> Answer:
    return lambda _: (
        part
        for parts in ([b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"], receiver.drip(b"x" * 900))
        for part in parts
    )


def endless_body(receiver: ScriptedReceiver) -> Answer:
    return lambda _: receiver.endless()


def cut_body(receiver: ScriptedReceiver) -> Answer:
    return always(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc", b"")


@pytest.mark.parametrize("script", [dripping_body, endless_body, cut_body])
def test_a_message_is_taken_when_the_status_says_so_whatever_follows(
    script: Callable[[ScriptedReceiver], Answer],
) -> None:
    with receiving(always()) as receiver:
        receiver.answer = script(receiver)
        hook = sender(receiver.url, QUICK)
        hook.send(message())  # imports and first connections are not what is measured
        began = time.monotonic()
        tracemalloc.start()
        attempt = hook.send(message(2))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.monotonic() - began < QUICK + 0.5
    assert attempt.done
    assert most < 2_000_000


@pytest.mark.parametrize(("size", "connections"), [(10_000, 1), (40_000, 2)])
def test_of_a_long_answer_only_the_beginning_is_read(size: int, connections: int) -> None:
    """What was not read to its end can't be used again."""
    with receiving(always(status(200, body=b"x" * size))) as receiver:
        hook = sender(receiver.url)
        assert all(hook.send(message(number)).done for number in range(2))
        assert receiver.connections == connections


def test_an_answer_that_drips_after_its_status_holds_up_nothing() -> None:
    with receiving(always()) as receiver:
        receiver.answer = dripping_body(receiver)
        began = time.monotonic()
        assert sender(receiver.url, 30).send(message()).done
        assert time.monotonic() - began < 10


def test_the_deadline_holds_for_the_look_up_too() -> None:
    with receiving(always(status(200))) as receiver:

        def hang(host: str, port: int) -> list[str]:
            receiver.stopped.wait(60)
            return []

        began = time.monotonic()
        attempt = sender("https://receiver.example/", QUICK, resolve=hang).send(message())
        assert time.monotonic() - began < QUICK + 0.5
    assert attempt.why == "no answer within 0.4 s"


@pytest.mark.parametrize(
    ("addresses", "lan", "scheme", "why"),
    [
        (["169.254.169.254"], True, "http", "link-local"),
        (["224.0.0.1"], True, "https", "multicast"),
        (["127.0.0.1"], False, "https", "private network"),
        (["93.184.215.14", "127.0.0.1"], False, "https", "private network"),
        (["93.184.215.14"], True, "http", "https://"),
        ([], True, "https", "host not found"),
    ],
)
def test_addresses_that_are_not_allowed_are_not_connected_to(
    addresses: list[str], lan: bool, scheme: str, why: str
) -> None:
    with receiving(always(status(200))) as receiver:
        url = f"{scheme}://receiver.example:{receiver.port}/"
        attempt = sender(url, lan=lan, resolve=lambda host, port: addresses).send(message())
        assert why in attempt.why
        assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "①②⑦.⓪.⓪.①", "[::ffff:127.0.0.1]", "localhost"])
def test_no_spelling_of_loopback_passes_as_public(host: str) -> None:
    with receiving(always(status(200))) as receiver:
        assert "private network" in sender(f"https://{host}:{receiver.port}/", lan=False).send(message()).why
        assert receiver.connections == 0


def test_connects_to_the_address_that_was_judged() -> None:
    """A name that means something else at the second look-up is never looked up twice."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    with receiving(always(status(200))) as receiver:
        url = f"http://rebinding.example:{receiver.port}/"
        assert sender(url, resolve=lambda host, port: answers.pop(0)).send(message()).done
        assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"


def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(always(status(200))) as proxy, receiving(always(status(200))) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert sender(receiver.url).send(message()).done
        assert (proxy.connections, receiver.connections) == (0, 1)


def test_a_payload_that_is_no_text_is_given_up() -> None:
    attempt = sender("http://127.0.0.1:9/").send(message(payload='"\ud800"'))
    assert attempt.give_up


@pytest.mark.parametrize(
    ("url", "lan", "why"),
    [
        ("http://receiver.example/canary", False, "begins with https"),
        ("ftp://receiver.example/canary", True, "looks like"),
        ("canary", True, "looks like"),
        ("https://", True, "looks like"),
        ("https://a b/canary", True, "looks like"),
    ],
)
def test_an_unusable_url_is_refused_without_repeating_it(url: str, lan: bool, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refusal:
        WebhookSender(url, SECRET, HeldClock(), lan=lan)
    assert "canary" not in str(refusal.value)


BARE = SECRET.removeprefix("whsec_")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_Y2FuYXJ5", "whsec_canary!!", BARE, "whsec_" + 90 * "A"])
def test_an_unusable_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="ppe webhook secret") as refusal:
        WebhookSender("https://receiver.example/", secret, HeldClock())
    key = secret.removeprefix("whsec_")
    assert not key or key not in str(refusal.value)


@pytest.fixture
def secure(certificate: Path) -> ScriptedReceiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return ScriptedReceiver(always(status(200)), wrap=lambda plain: context.wrap_socket(plain, server_side=True))


def test_tls_is_verified_always(certificate: Path, secure: ScriptedReceiver) -> None:
    here: dict[str, object] = {"resolve": lambda host, port: ["127.0.0.1"]}
    trusted: dict[str, object] = {"authorities": certificate.with_suffix(".crt"), **here}
    url = f"https://receiver.example:{secure.port}/"
    attempt = sender(url, **here).send(message())  # type: ignore[arg-type]
    assert attempt.why.startswith("TLS: the certificate is not trusted (self")
    wrong = sender(f"https://other.example:{secure.port}/", **trusted).send(message())  # type: ignore[arg-type]
    assert "not trusted (Hostname mismatch" in wrong.why
    assert not secure.requests
    hook = sender(url, **trusted)  # type: ignore[arg-type]
    assert all(hook.send(message(number)).done for number in range(3))
    assert len(secure.requests) == 3
    secure.close()


def test_a_receiver_that_speaks_no_tls_fails(secure: ScriptedReceiver) -> None:
    with receiving(always(status(200))) as receiver:
        attempt = sender(receiver.url.replace("http", "https"), QUICK).send(message())
    assert not attempt.done
    plain = sender(f"http://127.0.0.1:{secure.port}/", QUICK).send(message())
    assert not plain.done
    secure.close()
