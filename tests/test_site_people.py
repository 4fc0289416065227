"""People in a site file, and who tells them."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path

import pytest

from service.cli.findings import faults, later
from service.cli.opening import secrets_of
from service.delivery.fake import FakePoster
from service.events import Origin, alert_message
from service.ports import Endpoint, Letter, Message, Subject
from service.safety.site import Scene
from service.sitefile import SiteFile, SiteFileError, missing_secrets, parse_site
from service.store.fake import FakeStore
from service.store.fake_notices import FakeNotices
from service.wiring import WiringError
from service.wiring.people import People, manners_of, people_of, quiet_of, wording_of
from service.wiring.telling import endpoints_of
from tests.store.made import START_MS, HeldClock, alert, fired

CAMERAS = "time_zone: Asia/Seoul\ncameras: {gate: /dev/video0}\n"
TWO = f"{CAMERAS}people:\n  chat: {{url_env: CHAT, escalate_to: boss}}\n  boss: {{url_env: BOSS}}\n"


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", "json://first/token-one\njson://second/token-two")
    monkeypatch.setenv("BOSS", "json://boss/token-three")


def site(text: str) -> SiteFile:
    return parse_site(text, Path("site.yaml"))


def told(file: SiteFile) -> tuple[People, dict[str, FakePoster]]:
    posters: dict[str, FakePoster] = {}

    def poster_of(url: str) -> FakePoster:
        return posters.setdefault(url, FakePoster())

    people = people_of(file, FakeNotices(FakeStore()), lambda *_: None, HeldClock(START_MS), poster_of)
    return people, posters


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        ("chat: {}", 4, "people.chat.url_env: is missing"),
        ("chat: {url_env: 'json://token-canary'}", 4, "people.chat.url_env: String should match pattern"),
        ("chat: {url_env: A, language: English}", 4, "people.chat.language: String should match"),
        ("chat: {url_env: A, cameras: [dock]}", 4, "people.chat.cameras.0: there is no camera 'dock', only gate"),
        ("chat: {url_env: A, zones: [yard]}", 4, "people.chat.zones.0: there is no zone 'yard', only whole-picture"),
        ("chat: {url_env: A, escalate_to: boss}", 4, "people.chat.escalate_to: there are no other people 'boss'"),
        ("chat: {url_env: A, escalate_to: chat}", 4, "people.chat.escalate_to: there are no other people 'chat'"),
        ("chat: {url_env: A, remind_after: 60}", 4, "people.chat: remind_after must not be shorter than again_after"),
        ("chat: {url_env: A, most_an_hour: 0}", 4, "people.chat.most_an_hour: Input should be greater"),
    ],
)
def test_mistakes_are_told_with_their_lines_and_no_address(entry: str, line: int, words: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        site(f"{CAMERAS}people:\n  {entry}\n")
    assert f"line {line}: {words}" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("boss", "words"),
    [("escalate_to: chat", "escalates no further"), ("cameras: [gate]", "no filters of their own")],
)
def test_handing_on_is_one_step_and_has_no_filters(boss: str, words: str) -> None:
    with pytest.raises(SiteFileError, match=words):
        site(TWO.replace("BOSS}", f"BOSS, {boss}}}"))


def test_a_link_has_no_login() -> None:
    with pytest.raises(SiteFileError, match="public_url"):
        site(f"{CAMERAS}public_url: https://me:secret@ppe.example\n")


def test_only_who_is_told_first_is_in_the_outbox() -> None:
    names = [one.name for one in endpoints_of(site(TWO))]
    assert names == ["people:chat"]
    people, posters = told(site(TWO))
    assert list(people.senders) == names
    assert list(posters) == ["json://first/token-one", "json://second/token-two", "json://boss/token-three"]
    assert len(people.announcers) == 3


def test_people_hear_of_ends_only_when_they_ask() -> None:
    def wanted(text: str, kind: str) -> bool:
        (endpoint,) = endpoints_of(site(text))
        return endpoint.wants(
            Message("a", kind, "gate", 0, "{}", subject=Subject("whole-picture", "vest", "medium", 0))
        )

    plain = f"{CAMERAS}people: {{chat: {{url_env: CHAT}}}}\n"
    asks = plain.replace("CHAT", "CHAT, resolved: true, severity: [medium]")
    kinds = ["alert.fired", "alert.updated", "alert.resolved", "camera.offline"]
    assert [wanted(plain, kind) for kind in kinds] == [True, False, False, True]
    assert [wanted(asks, kind) for kind in kinds] == [True, False, True, True]
    assert not wanted(plain.replace("CHAT", "CHAT, severity: [high]"), "alert.fired")


def test_in_the_mode_observe_nobody_is_told_and_no_address_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAT")
    assert missing_secrets(site(TWO)) == ["CHAT"]
    observed = site(f"mode: observe\n{TWO}")
    assert missing_secrets(observed) == []
    assert endpoints_of(observed) == []
    assert told(observed)[0].announcers == ()
    assert [keys for keys, _ in later(observed)] == [("people", "chat", "url_env")]


def test_what_keeps_people_from_being_told_is_said_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", " ")
    with pytest.raises(WiringError, match="people chat: CHAT holds no Apprise URL"):
        told(site(TWO))
    unknown = site(f"mode: observe\n{TWO.replace('CHAT,', 'CHAT, language: xx,')}")
    with pytest.raises(WiringError, match="people chat: there are no texts in the language 'xx'"):
        wording_of(unknown, "chat")
    assert [what for keys, what in faults(unknown) if keys == ("people", "chat", "language")] == [
        "there are no texts in 'xx', only in en, ko"
    ]


@pytest.mark.skipif(find_spec("apprise") is None, reason="needs apprise, which is not installed")
def test_an_address_of_several_receivers_starts_nothing_and_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", "ntfy://127.0.0.1/token-canary/another")
    file = site(f"{CAMERAS}people: {{chat: {{url_env: CHAT}}}}\n")
    with pytest.raises(WiringError, match="people chat: CHAT: one Apprise URL in the variable has several") as refused:
        people_of(file, FakeNotices(FakeStore()), lambda *_: None, HeldClock(START_MS))
    assert "canary" not in str(refused.value)
    assert [keys for keys, what in faults(file) if "several receivers" in what] == [("people", "chat", "url_env")]


def test_addresses_are_kept_out_of_the_log() -> None:
    assert {"json://first/token-one", "json://second/token-two", "json://boss/token-three"} <= set(
        secrets_of(site(TWO))
    )


def test_manners_follow_the_entry_and_who_is_told_last_is_told_at_once() -> None:
    entries = site(TWO).people
    assert manners_of(entries["chat"], last=False, escalates=True).escalate_after == 900
    assert manners_of(entries["chat"], last=False, escalates=False).escalate_after is None
    assert manners_of(entries["boss"], last=True, escalates=False).first_after == 0
    assert wording_of(site(TWO), "boss").escalated_after == 15
    assert wording_of(site(TWO), "chat").escalated_after is None


def test_quiet_hours_are_those_of_the_site() -> None:
    entry = site(f"{CAMERAS}people: {{chat: {{url_env: CHAT, quiet: [{{from: 20:00, to: 06:00}}]}}}}\n").people["chat"]
    midnight_ms = 1_772_377_200_000  # 2026-03-02T00:00:00+09:00
    quiet = quiet_of(entry, "Asia/Seoul")
    assert [quiet(midnight_ms + hour * 3_600_000) for hour in (0, 5, 6, 12, 20)] == [True, True, False, False, True]


def test_a_message_goes_through_filing_to_every_address_and_threads_end() -> None:
    store = FakeStore([Endpoint("people:chat")])
    notices, clock, arrived = FakeNotices(store), HeldClock(START_MS + 60_000), threading.Event()
    letters: list[Letter] = []

    class Poster(FakePoster):
        def post(self, letter: Letter):  # type: ignore[no-untyped-def]
            letters.append(letter)
            if len(letters) == 2:
                arrived.set()
            return super().post(letter)

    people = people_of(site(TWO), notices, lambda *_: None, clock, lambda _: Poster())
    with people.telling():
        one = alert(1)
        told_of = alert_message(fired(one), Origin(Scene(camera="gate"), "Gate"), 640, 360)
        store.record([fired(one)], [], [told_of])
        assert people.senders["people:chat"].send(told_of).done
        assert arrived.wait(20)
    assert {letter.title for letter in letters} == {"site: No helmet: yard (camera Gate)"}
