"""Letters through the real Apprise, to a receiver on this machine."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterable
from importlib.util import find_spec

import pytest

from service.delivery.apprise_poster import ApprisePoster, urls_in
from service.ports import Letter
from tests.delivery.scripted import Request, ScriptedReceiver, always, receiving, status

pytestmark = pytest.mark.skipif(find_spec("apprise") is None, reason="needs apprise, which is not installed")

JPEG = b"\xff\xd8\xff\xe0 a picture"
LETTER = Letter("제목: No helmet", "1 alert since 22:03.\nAn aid.", (("a.jpg", JPEG),))


def url(receiver: ScriptedReceiver, token: str = "") -> str:
    return f"json://127.0.0.1:{receiver.port}/hook{token}"


def test_a_letter_arrives_with_its_picture() -> None:
    with receiving(always(status(200))) as receiver:
        assert ApprisePoster(url(receiver)).post(LETTER).done
        (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["title"], body["message"], body["type"]) == (LETTER.title, LETTER.body, "warning")
    assert [base64.b64decode(one["base64"]) for one in body["attachments"]] == [JPEG]
    assert body["attachments"][0]["filename"] == "a.jpg"


def test_a_letter_whose_pictures_are_refused_is_taken_as_plain_text() -> None:
    def answer(request: Request) -> Iterable[bytes]:
        return (status(413 if json.loads(request.body)["attachments"] else 200),)

    with receiving(answer) as receiver:
        assert ApprisePoster(url(receiver)).post(LETTER).done
        bodies = [json.loads(request.body) for request in receiver.requests]
    assert [len(body["attachments"]) for body in bodies] == [1, 0]
    assert {body["message"] for body in bodies} == {LETTER.body}


def test_an_address_of_several_receivers_is_refused_and_sends_nothing() -> None:
    with receiving(always(status(200))) as receiver:
        poster = ApprisePoster(f"ntfy://127.0.0.1:{receiver.port}/one/other")
        attempt = poster.post(LETTER)
        assert receiver.requests == []
    assert not attempt.done
    assert poster.mistake() == attempt.why
    assert "several receivers" in attempt.why


@pytest.mark.thorough
def test_what_a_service_refuses_was_not_taken_and_its_address_is_not_repeated() -> None:
    with receiving(always(status(500))) as receiver:
        attempt = ApprisePoster(url(receiver, "/secret-token-canary")).post(LETTER)
    assert not attempt.done
    assert attempt.why == "the service did not take it"


@pytest.mark.thorough
@pytest.mark.parametrize("text", ["nonsense", "https-canary", "tgram://canary"])
def test_an_address_of_no_service_is_told_without_it(text: str) -> None:
    poster = ApprisePoster(text)
    assert poster.fault() == "the variable holds no Apprise URL that could be used"
    assert "canary" not in repr(poster)


@pytest.mark.thorough
def test_a_service_that_hangs_is_left_at_the_deadline_and_holds_up_no_other() -> None:
    """Sixteen seconds of reading patience, in an address of its own, are cut short."""
    with receiving(always(status(200))) as works, receiving(always()) as hangs:
        hangs.answer = lambda _: iter(lambda: (hangs.stopped.wait(60) and b"") or b"", None)
        slow = ApprisePoster(f"{url(hangs)}?rto=16&cto=16", deadline=6.0)
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(slow.post(LETTER)))
        begun = time.monotonic()
        thread.start()
        assert ApprisePoster(url(works)).post(LETTER).done
        thread.join()
        assert time.monotonic() - begun < 12
        hangs.stopped.set()
    assert getattr(found[0], "why", "") == "no answer within 6 s"


@pytest.mark.thorough
def test_closing_ends_what_runs() -> None:
    with receiving(always()) as hangs:
        hangs.answer = lambda _: iter(lambda: (hangs.stopped.wait(60) and b"") or b"", None)
        poster = ApprisePoster(url(hangs))
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(poster.post(LETTER)))
        thread.start()
        while not hangs.requests and thread.is_alive():
            thread.join(0.02)
        poster.close()
        thread.join(10)
        hangs.stopped.set()
    assert not getattr(found[0], "done", True)
    assert poster.post(LETTER).why == "it was closed"


def test_a_variable_holds_one_or_several_addresses() -> None:
    assert urls_in(" json://a\n  json://b ") == ["json://a", "json://b"]
    assert urls_in("") == []
