"""What every sender promises, on the one with a network and on the fake that ships."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from service.delivery.fake import FakeSender
from service.delivery.webhook import WebhookSender
from service.ports import Attempt, Sender
from tests.delivery.scripted import SECRET, HeldClock, always, message, receiving, status

Heard = Callable[[], list[str]]


@contextmanager
def real(code: int) -> Iterator[tuple[Sender, Heard]]:
    with receiving(always(status(code, "Retry-After: 7"))) as receiver:
        sender = WebhookSender(receiver.url, SECRET, HeldClock(), lan=True, deadline=5)
        yield sender, lambda: [request.body.decode() for request in receiver.requests]
        sender.close()


@contextmanager
def fake(code: int) -> Iterator[tuple[Sender, Heard]]:
    attempt = Attempt(
        200 <= code < 300, "" if code < 300 else f"HTTP {code}", 7.0 if code in {429, 503} else None, gone=code == 410
    )
    sender = FakeSender(lambda _: attempt)
    yield sender, lambda: [tried.payload for tried in sender.attempts]


both = pytest.mark.parametrize("make", [real, fake], ids=lambda make: make.__name__)


@both
@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_a_taken_message_is_done_and_was_heard_once(make: Callable[..., object], code: int) -> None:
    with make(code) as (sender, heard):  # type: ignore[attr-defined]
        assert sender.send(message()) == Attempt(done=True)
        assert heard() == [message().payload]


@both
@pytest.mark.parametrize("code", [301, 400, 401, 404, 410, 429, 500, 503])
def test_a_refused_message_is_not_done_and_says_why(make: Callable[..., object], code: int) -> None:
    with make(code) as (sender, heard):  # type: ignore[attr-defined]
        attempt = sender.send(message())
        assert not attempt.done
        assert str(code) in attempt.why
        assert attempt.gone == (code == 410)
        assert not attempt.give_up
        assert attempt.retry_after == (7.0 if code in {429, 503} else None)
        assert len(heard()) == 1


@both
def test_the_same_message_can_be_sent_again(make: Callable[..., object]) -> None:
    with make(200) as (sender, heard):  # type: ignore[attr-defined]
        assert all(sender.send(message()).done for _ in range(3))
        assert len(heard()) == 3
