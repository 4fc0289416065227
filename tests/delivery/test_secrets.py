"""No secret leaves by a log, an error, a reason or a repr, at debug level, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
import structlog

from service.delivery.courier import Courier
from service.delivery.webhook import WebhookSender
from tests.delivery.scripted import SECRET, HeldClock, ListOutbox, always, message, receiving, status

KEY = SECRET.removeprefix("whsec_")
CANARIES = (KEY, "secret-canary", "path-canary", "query-canary", "user-canary", "password-canary", "payload-canary")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Everything that is logged, from debug up, by structlog and by libraries."""
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []
    before = structlog.get_config()

    def keep(_: object, __: str, event: structlog.typing.EventDict) -> str:
        heard.append(repr(event))
        return repr(event)

    structlog.configure(
        processors=[keep], logger_factory=structlog.PrintLoggerFactory(), cache_logger_on_first_use=False
    )
    yield heard
    structlog.configure(**before)
    heard += [record.getMessage() for record in caplog.records]


def secretive(url: str) -> str:
    return url.replace("://", "://user-canary:password-canary@").replace("/hook", "/path-canary?key=query-canary")


@pytest.mark.parametrize("answer", [status(200), status(500), status(302, "Location: http://127.0.0.1/"), b"", b"junk"])
def test_no_answer_makes_it_tell(answer: bytes, lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    outbox = ListOutbox()
    outbox.put(message(payload='{"summary":"payload-canary"}'))
    with receiving(always(answer, b"")) as receiver:
        sender = WebhookSender(secretive(receiver.url), SECRET, HeldClock(), lan=True, deadline=5)
        courier = Courier(outbox, {"hook": sender}, HeldClock())
        courier.deliver_due()
        courier.close()
        sender.close()
    assert lines
    told = "\n".join(
        [*lines, repr(sender), str(sender), *outbox.rows[0].whys, *(r.getMessage() for r in caplog.records)]
    )
    assert not [canary for canary in CANARIES if canary in told]


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://user-canary:password-canary@receiver.example/path-canary", SECRET),
        ("https://user-canary:password-canary@[receiver/path-canary", SECRET),
        ("https://receiver.example/", "whsec_secret-canary"),
        ("https://receiver.example/", KEY),
    ],
)
def test_no_refusal_repeats_what_it_was_given(url: str, secret: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        WebhookSender(url, secret, HeldClock())
    told = [str(refusal.value), "".join(traceback.format_exception_only(refusal.value)), repr(refusal.value.__cause__)]
    assert not [canary for canary in CANARIES if canary in "".join(told)]
