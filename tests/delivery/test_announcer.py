"""People are told through the real store: nothing twice, nothing lost, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from service.delivery.fake import FakePoster
from service.delivery.people import channels_of
from service.delivery.talk import Manners
from service.events import camera_message
from service.inquiry import Mark
from service.ports import Attempt, CameraState, Letter
from service.safety.moment import Moment
from tests.delivery.office import JPEG, ORIGIN, Office
from tests.store.made import START_MS, alert, ended, fired


def test_a_letter_says_what_where_since_when_and_how_many(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster)
    for number in range(3):
        there.happen(fired(replace(alert(number), fired=alert(0).fired, since=alert(0).since)))
    there.happen(ended(alert(1)))
    there.until(60)
    (letter,) = poster.letters
    assert letter.title == "Plant 4: No helmet: Yard (camera North gate)"
    assert letter.body.splitlines() == [
        "3 alerts since 00:06, 2 are open now.",
        f"Alert: https://ppe.example/v1/alerts/{alert(2).id}",
        "",
        "This is an aid. It misses people and makes mistakes, and it replaces no supervision.",
    ]
    assert letter.pictures == tuple((f"{alert(number).id}.jpg", JPEG) for number in (2, 1, 0))
    assert letter.urgent


def test_a_letter_in_korean(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster, language="ko")
    there.happen(fired(alert(0)))
    there.until(1900)
    first, reminder = poster.letters
    assert first.title == "Plant 4: 안전모 미착용: Yard (North gate 카메라)"
    assert first.body.startswith("00:06부터 경보 1건, 현재 진행 중 1건.\n경보: https://")
    assert reminder.title.startswith("Plant 4: 계속 진행 중 – 안전모 미착용")


def test_what_a_provider_refuses_is_posted_later_and_counts_as_not_posted(office: Callable[..., Office]) -> None:
    answers = [Attempt(done=False, why="the service did not take it")] * 3 + [Attempt(done=True)] * 9
    taken: list[Letter] = []

    def answer(letter: Letter) -> Attempt:
        attempt = answers.pop(0)
        if attempt.done:
            taken.append(letter)
        return attempt

    poster = FakePoster(answer)
    there = office(poster)
    there.happen(fired(alert(0)))
    with capture_logs() as logs:
        there.until(10.5)
        there.happen(fired(alert(12)))
        there.until(120)
    assert [len(one.pictures) for one in poster.letters] == [1, 2, 0, 2]
    (letter,) = taken
    assert letter.body.startswith("2 alerts")
    assert [one["why"] for one in logs if one["event"] == "people were not told"] == ["the service did not take it"] * 3
    assert there.store.notices.fresh("office", 9) == []


def test_a_restart_loses_nothing_and_posts_nothing_twice(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster)
    there.happen(fired(alert(0)))
    there.store.close()
    there.open()
    there.until(20)
    assert len(poster.letters) == 1
    there.store.close()
    there.open()
    there.until(1000)
    assert len(poster.letters) == 1
    there.until(1900)
    assert [letter.title.startswith("Plant 4: Still open") for letter in poster.letters] == [False, True]


def test_an_end_between_post_and_commit_posts_it_once_more(office: Callable[..., Office]) -> None:
    class PowerCut(BaseException):
        pass

    def cut(_: Letter) -> Attempt:
        raise PowerCut

    there = office(FakePoster(cut))
    there.happen(fired(alert(0)))
    with pytest.raises(PowerCut):
        there.until(20)
    there.store.close()
    there.poster = again = FakePoster()
    there.open()
    there.until(30)
    assert len(again.letters) == 1


def test_what_people_say_is_heeded(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster, manners=Manners(escalate_after=900))
    there.happen(fired(alert(0)))
    there.until(60)
    there.store.mark(alert(0).id, Mark("acknowledged", START_MS, "Kim"))
    there.until(2000)
    assert len(poster.letters) == 1
    assert there.store.notices.fresh("boss", 9) == []


def test_what_nobody_takes_up_is_handed_on(office: Callable[..., Office]) -> None:
    there = office(FakePoster(), manners=Manners(escalate_after=900))
    there.happen(fired(alert(0)))
    there.until(1000)
    assert len(there.store.notices.fresh("boss", 9)) == 1


def test_handing_on_needs_no_provider_that_works(office: Callable[..., Office]) -> None:
    there = office(FakePoster(lambda _: Attempt(done=False, why="down")), manners=Manners(escalate_after=900))
    there.happen(fired(alert(0)))
    with capture_logs():
        there.until(1000)
    assert len(there.store.notices.fresh("boss", 9)) == 1


def test_a_camera_is_told_of_in_plain_words(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster)
    lost = CameraState("offline", Moment(0, START_MS), "STREAM_TIMEOUT", "no answer")
    there.store.record([], [], [camera_message(lost, ORIGIN)])
    there.courier.deliver_due()
    there.until(60)
    (letter,) = poster.letters
    assert letter.title == "Plant 4: Camera North gate gives no pictures"
    assert letter.body.splitlines()[:3] == ["Since 00:06.", "Nothing is watched there.", "Code: STREAM_TIMEOUT"]
    assert letter.pictures == ()


def test_who_does_not_speak_posts_nothing(office: Callable[..., Office], monkeypatch: pytest.MonkeyPatch) -> None:
    poster = FakePoster()
    there = office(poster)
    there.happen(fired(alert(0)))
    monkeypatch.setattr(there.store.notices, "speaks", lambda _: False)
    there.until(60)
    assert poster.letters == []


def test_erased_alerts_are_told_no_more(office: Callable[..., Office]) -> None:
    poster = FakePoster()
    there = office(poster)
    there.happen(fired(alert(0)))
    with there.store._database.transaction() as connection:
        connection.exec_driver_sql("UPDATE messages SET payload = '{}'")
    there.until(60)
    assert poster.letters == []
    assert there.store.notices.fresh("office", 9) == []


def test_a_channel_keeps_its_name_when_its_address_changes() -> None:
    assert channels_of("office", 3) == ["office", "office/2", "office/3"]
