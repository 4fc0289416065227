"""People are told whatever a store, a picture or the night does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import pytest

from service.delivery import announcer
from service.delivery.announcer import SOON, Announcer, Channel
from service.delivery.catalogue import catalogue
from service.delivery.fake import FakePoster
from service.delivery.talk import Manners
from service.delivery.wording import Wording
from service.events import alert_message
from service.ports import PostMade
from service.store.errors import StoreError
from service.store.fake import FakeStore
from service.store.fake_notices import FakeNotices
from service.store.notices import Noticed
from tests.delivery.office import JPEG, ORIGIN, Office
from tests.store.made import START_MS, HeldClock, alert, ended, fired


class FullDisk:
    """Notices of a store that takes no posts for as long as it is `full`; all else is the store's."""

    def __init__(self, notices: Noticed) -> None:
        self._notices = notices
        self.full = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._notices, name)

    def settle(self, channel: str, post: PostMade | None, told: Collection[str], let_go: Collection[str] = ()) -> None:
        if self.full and post is not None:
            raise StoreError("STORE_FULL", "no space is left")
        self._notices.settle(channel, post, told, let_go)


def test_what_a_full_disk_does_not_keep_is_posted_once_and_kept_when_there_is_room(
    office: Callable[..., Office],
) -> None:
    poster = FakePoster()
    there = office(poster)
    disk = there.announcer._notices = FullDisk(there.store.notices)
    there.happen(fired(alert(0)))
    there.until(9.9)
    for seconds in range(10, 3600, 5):
        there.clock.wall_ms = START_MS + 1000 * seconds
        with pytest.raises(StoreError):
            there.announcer.step()
    assert len(poster.letters) == 1
    disk.full = False
    there.until(3620)
    assert [post.at_ms for post in there.store.notices.posts("office", 0)][:1] == [START_MS + 10_000]
    assert [letter.title.startswith("Plant 4: Still open") for letter in poster.letters] == [False, True]


def test_a_group_that_only_has_ends_to_tell_has_no_pictures_in_a_digest(
    office: Callable[..., Office],
) -> None:
    poster = FakePoster()
    there = office(poster, manners=Manners(resolved=True))
    there.happen(fired(alert(0)))
    there.until(400)
    there.happen(ended(alert(0), 400))
    there.until(405)
    there.happen(fired(replace(alert(405), equipment="vest")))
    there.until(430)
    assert [letter.title for letter in poster.letters][1:] == ["Plant 4: 2 things to look at"]
    assert poster.letters[1].pictures == ((f"{alert(405).id}.jpg", JPEG),)


def test_quiet_hours_hide_nothing_of_high_severity_however_much_they_hold(
    office: Callable[..., Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    poster = FakePoster()
    monkeypatch.setattr(announcer, "MOST", 3)
    there = office(poster, quiet=lambda _: True)
    changes = [fired(replace(alert(number), severity="medium")) for number in range(5)]
    changes.append(fired(replace(alert(5), severity="high", equipment="vest")))
    there.store.record(changes, [], [alert_message(change, ORIGIN, 640, 360) for change in changes])
    while there.courier.deliver_due():
        pass
    there.until(60)
    assert [letter.title for letter in poster.letters] == ["Plant 4: No vest: Yard (camera North gate)"]


def test_where_others_file_notices_it_looks_every_few_seconds() -> None:
    notices = FakeNotices(FakeStore())
    channel = Channel("office", Manners(), Wording(catalogue("en"), "UTC", "Plant 4"), lambda _: False)
    told = Announcer(channel, notices, FakePoster(), HeldClock(START_MS))
    assert told.step() == 60
    notices.shared = True
    assert told.step() == SOON
