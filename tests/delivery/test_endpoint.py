"""Endpoints before anything is sent: what their URL, secret and address are worth, and whether somebody is there."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from service.delivery.endpoint import secret_fault, shown_url, unreachable, url_fault
from tests.delivery.scripted import SECRET, ScriptedReceiver, always, receiving, status


@pytest.mark.parametrize(
    ("url", "lan", "words"),
    [
        ("https://example.org/hook", False, ""),
        ("https://receiver.local/hook", False, ""),  # only a look-up tells
        ("http://receiver.local/hook", True, ""),
        ("http://10.0.0.9/hook", True, ""),
        ("https://[::1]/hook", True, ""),
        ("http://10.0.0.9/hook", False, "begins with https://"),
        ("https://10.0.0.9/hook", False, "lan: true does"),
        ("https://localhost/hook", False, "lan: true does"),
        ("https://0x7f.1/hook", False, "lan: true does"),
        ("https://[::ffff:127.0.0.1]/hook", False, "lan: true does"),
        ("https://[64:ff9b::a00:9]/hook", False, "lan: true does"),
        ("https://169.254.169.254/hook", True, "nothing is sent to"),
        ("https://[2002:a00:9::1]/hook", True, "nothing is sent to"),
        ("http://8.8.8.8/hook", True, "must begin with https://"),
        ("https://a b/hook", True, "looks like https://host/path"),
    ],
)
def test_a_url_is_judged_as_far_as_it_can_be_without_a_look_up(url: str, lan: bool, words: str) -> None:
    fault = url_fault(url, lan=lan)
    assert (words in fault) if words else fault == ""
    assert "hook" not in fault.replace("webhook", "")


def test_a_secret_is_one_or_is_not() -> None:
    assert secret_fault(SECRET) == ""
    for unusable in ("", SECRET.removeprefix("whsec_"), "whsec_c2hvcnQ=", "whsec_no!base64", "whsec_" + 90 * "A"):
        fault = secret_fault(unusable)
        assert "whsec_" in fault
        assert not unusable or unusable not in fault


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("http://u:canary@10.0.0.9:9000/canary?key=canary#canary", "http://10.0.0.9:9000/***"),
        ("https://example.org?token=canary", "https://example.org/***"),
        ("https://example.org/#canary", "https://example.org/***"),
        ("https://example.org/canary@canary", "https://***"),
        ("https://user:can/ary@example.org/", "https://***"),
        ("https://canary/x@example.org/", "https://***"),
        ("https://canary canary/", "https://***"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_somebody_who_is_there_gets_no_request() -> None:
    with receiving(always(status(200))) as receiver:
        assert unreachable(receiver.url, lan=True) == ""
        assert receiver.requests == []


def test_nobody_there_a_wrong_address_and_an_unknown_host_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert unreachable(f"http://127.0.0.1:{port}/", lan=True) == "can't connect: connection refused"
    assert "lan: true does" in unreachable(f"https://127.0.0.1:{port}/", lan=False)
    away = unreachable("https://receiver.example/", lan=True, resolve=lambda host, port: ["64:ff9b::a9fe:a9fe"])
    assert "nothing is sent to" in away
    assert unreachable("https://receiver.example/", lan=False, resolve=lambda host, port: []) == "host not found"


def test_a_certificate_is_verified(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    secure = ScriptedReceiver(always(status(200)), wrap=lambda plain: context.wrap_socket(plain, server_side=True))
    url = f"https://127.0.0.1:{secure.port}/"
    assert unreachable(url, lan=True, authorities=certificate.with_suffix(".crt")) == ""
    assert unreachable(url, lan=True).startswith("TLS: the certificate is not trusted")
    assert secure.requests == []
    secure.close()


def test_silence_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never says a word of TLS
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert unreachable(url, lan=True, seconds=0.3) == "no answer within 0.3 s"
