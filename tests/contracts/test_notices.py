"""What is kept of what people are to be told, in the real store and in the fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.events import Origin, alert_message
from service.inquiry import Mark
from service.ports import Message, Notices, PostMade, Standing
from service.safety.alerts import Alert, AlertChange
from service.safety.site import Scene
from service.store.erasure import Scope
from service.store.fake import FakeStore
from service.store.fake_notices import FakeNotices
from service.store.store import Store
from tests.store.made import START_MS, alert, ended, fired

ORIGIN = Origin(Scene(camera="gate"), "Gate")
NEWS = PostMade(START_MS + 20_000, "news", (("gate", "yard", "helmet"),))
Kept = tuple[Store | FakeStore, Notices]


def real(folder: Path) -> Kept:
    store = Store(folder, ["people:office"])
    return store, store.notices


def fake(_: Path) -> Kept:
    store = FakeStore(["people:office"])
    return store, FakeNotices(store)


@pytest.fixture(params=[real, fake], ids=lambda make: make.__name__)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    make: Callable[[Path], Kept] = request.param
    store, notices = make(tmp_path / "store")
    yield store, notices
    store.close()


def tell(store: Store | FakeStore, change: AlertChange) -> Message:
    message = alert_message(change, ORIGIN, 640, 360)
    store.record([change], [], [message])
    return message


def ids(found: list[Message]) -> list[str]:
    return [one.id for one in found]


def test_a_message_is_fresh_for_each_channel_until_it_is_told_there(kept: Kept) -> None:
    store, notices = kept
    first, second = tell(store, fired(alert(1))), tell(store, fired(alert(2)))
    for one in (second, first, first):
        notices.file(["office", "office/2"], one.id)
    assert ids(notices.fresh("office", 10)) == [first.id, second.id]
    assert notices.fresh("office", 10)[0].payload == first.payload
    assert ids(notices.fresh("office", 1)) == [first.id]
    notices.settle("office", NEWS, [first.id])
    assert ids(notices.fresh("office", 10)) == [second.id]
    assert ids(notices.fresh("office/2", 10)) == [first.id, second.id]
    assert notices.posts("office", 0) == [NEWS]
    assert notices.posts("office", NEWS.at_ms + 1) == notices.posts("office/2", 0) == []
    notices.file(["office"], first.id)
    assert ids(notices.fresh("office", 10)) == [second.id]


def test_what_was_let_go_was_not_told(kept: Kept) -> None:
    store, notices = kept
    first = tell(store, fired(alert(1)))
    notices.file(["office"], first.id)
    notices.settle("office", None, [], [first.id])
    assert notices.fresh("office", 10) == notices.told("office", 0, 10) == notices.posts("office", 0) == []


def test_of_what_was_let_go_it_is_known_that_nobody_heard_of_it(kept: Kept) -> None:
    store, notices = kept
    told, gone = tell(store, fired(alert(1))), tell(store, fired(alert(2)))
    end = tell(store, ended(alert(1)))
    for one in (told, gone, end):
        notices.file(["office"], one.id)
    notices.settle("office", NEWS, [told.id], [gone.id, end.id])
    known = [alert(number).id for number in (1, 2, 3)]
    assert notices.unsaid("office", known) == {alert(2).id}
    assert notices.unsaid("office/2", known) == notices.unsaid("office", []) == frozenset()


def test_however_much_is_fresh_it_hides_nothing_of_high_severity(kept: Kept) -> None:
    store, notices = kept
    plain = [tell(store, fired(replace(alert(number), severity="medium"))) for number in range(4)]
    high = tell(store, fired(replace(alert(4), severity="high")))
    last = tell(store, fired(replace(alert(5), severity="medium")))
    for message in (*plain, high, last):
        notices.file(["office"], message.id)
    assert ids(notices.fresh("office", 3)) == [plain[0].id, plain[1].id, high.id]
    assert ids(notices.fresh("office", 6)) == ids([*plain, high, last])


def test_a_message_that_is_not_kept_is_filed_for_nobody(kept: Kept) -> None:
    _, notices = kept
    notices.file(["office"], "msg_nothing")
    assert notices.fresh("office", 10) == []


def test_told_alerts_are_found_while_they_are_open_or_young(kept: Kept) -> None:
    store, notices = kept
    first, second = tell(store, fired(alert(1))), tell(store, fired(alert(2)))
    end = tell(store, ended(alert(1)))
    for one in (first, second, end):
        notices.file(["office"], one.id)
    assert notices.told("office", 0, 10) == []
    notices.settle("office", NEWS, [first.id, second.id, end.id])
    assert ids(notices.told("office", 0, 10)) == [first.id, second.id]
    assert ids(notices.told("office", 0, 1)) == [second.id]
    assert ids(notices.told("office", START_MS + 3_600_000, 10)) == [second.id]


def test_others_are_told_what_is_handed_on(kept: Kept) -> None:
    store, notices = kept
    first = tell(store, fired(alert(1)))
    done = PostMade(START_MS, "escalation", NEWS.groups)
    notices.escalate("office", done, ["boss", "boss/2"], [first.id])
    notices.escalate("office", done, ["boss"], [first.id])
    assert ids(notices.fresh("boss", 9)) == ids(notices.fresh("boss/2", 9)) == [first.id]
    assert notices.posts("office", 0) == [done, done]
    assert notices.fresh("office", 9) == []


def test_how_alerts_stand(kept: Kept) -> None:
    store, notices = kept
    for number in (1, 2, 3):
        tell(store, fired(alert(number)))
    tell(store, ended(alert(2)))
    store.mark(alert(1).id, Mark("acknowledged", START_MS, "Kim"))
    store.mark(alert(3).id, Mark("snoozed", START_MS, "Kim", until_ms=START_MS + 5))
    store.mark(alert(3).id, Mark("snoozed", START_MS, "Kim", until_ms=START_MS + 9))
    store.mark(alert(2).id, Mark("false_alarm", START_MS, "Kim"))
    assert notices.standings([alert(number).id for number in (1, 2, 3, 4)]) == {
        alert(1).id: Standing(open=True, acknowledged=True),
        alert(2).id: Standing(open=False, false_alarm=True),
        alert(3).id: Standing(open=True, snoozed_until_ms=START_MS + 9),
    }


def test_one_process_speaks(kept: Kept) -> None:
    _, notices = kept
    assert notices.speaks("office")
    assert not notices.shared


def test_it_is_there_after_a_restart_and_erased_with_its_alert(tmp_path: Path) -> None:
    def gone(one: Alert) -> AlertChange:
        return ended(one)

    with Store(tmp_path, ["people:office"]) as store:
        first = tell(store, fired(alert(1)))
        store.notices.file(["office"], first.id)
    with Store(tmp_path, ["people:office"]) as store:
        assert ids(store.notices.fresh("office", 9)) == [first.id]
        tell(store, gone(alert(1)))
        store.keeping.erase(Scope(alert=alert(1).id), "Kim")
        assert [one.payload for one in store.notices.fresh("office", 9)] == ["{}"]


def test_what_was_told_long_ago_is_forgotten(tmp_path: Path) -> None:
    week = 7 * 86_400_000
    with Store(tmp_path, ["people:office"]) as store:
        first, second = tell(store, fired(alert(1))), tell(store, fired(alert(2)))
        tell(store, ended(alert(1)))
        for one in (first, second):
            store.notices.file(["office"], one.id)
        store.notices.settle("office", NEWS, [first.id, second.id])
        later = PostMade(NEWS.at_ms + week + 1, "reminder", NEWS.groups)
        store.notices.settle("office", later, [])
        assert store.notices.posts("office", 0) == [later]
        assert ids(store.notices.told("office", 0, 9)) == [second.id]
