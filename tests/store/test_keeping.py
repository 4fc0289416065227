"""Evidence goes when it is too old or too much, and never while somebody needs it; rows and files go together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.ports import Message, Still
from service.safety.alerts import Alert
from service.store import retention
from service.store.disk import Disk
from service.store.keeping import LOOK, UnknownAlert
from service.store.retention import DAY_MS, Limits
from service.store.store import Store
from tests.store.made import JPEG, START_MS, HeldClock, alert, ended, fired, message, moment, still

PLENTY = Limits(evidence_days=30, evidence_bytes=2**40, free_bytes=0, alert_days=400)


class Small(Disk):
    """A disk of so many bytes, in which evidence is all there is."""

    def __init__(self, folder: Path, size: int) -> None:
        super().__init__(folder)
        self.size = size

    def free(self) -> int:
        return self.size - sum(file.size for day in self.days() for file in self.files(day).values())


def days(number: float) -> int:
    return START_MS + round(number * DAY_MS)


def on_day(number: int, day: float) -> Alert:
    """An alert that fired on a day, counted from the first."""
    at = moment(day * 86_400)
    return replace(alert(number), since=at, fired=at, seen=at)


def keep(store: Store, *several: Alert, jpeg: bytes = JPEG, open_still: bool = False) -> None:
    for one in several:
        stills = [Still(one.id, "clean", jpeg), Still(one.id, "crop", jpeg)]
        store.record([fired(one)] if open_still else [fired(one), ended(one)], stills, [])


def forget(store: Store) -> int:
    steps = 0
    while store.keeping.step():
        steps += 1
        assert steps < 1000
    return steps


def there(store: Store) -> list[int]:
    """The numbers of the alerts that have evidence, whose rows and files are found to agree."""
    rows = {int(one.id, 16) for one in store.alerts(10_000) if store.evidence_path(one.id, "clean") is not None}
    folder = store._evidence
    assert rows == {int(path.parent.name, 16) for path in folder.glob("*/*/clean.jpg")}
    assert rows == {int(path.parent.name, 16) for path in folder.glob("*/*/crop.jpg")}
    return sorted(rows)


def test_evidence_goes_when_it_is_too_old_and_says_since_when(tmp_path: Path) -> None:
    clock = HeldClock(days(30))
    with Store(tmp_path, [], clock=clock) as store:
        keep(store, *(on_day(day, day) for day in range(4)))
    with Store(tmp_path, [], clock=clock, limits=PLENTY) as store:
        forget(store)
        assert there(store) == [0, 1, 2, 3]
        clock.wall_ms = days(31.5)
        forget(store)
        assert there(store) == [2, 3]
        gone = store.keeping.gone(alert(1).id, "clean")
        assert gone is not None
        assert (gone.at_ms, gone.why) == (days(31.5), "age")
        assert store.keeping.gone(alert(2).id, "clean") is None
        assert store.keeping.gone(alert(9).id, "clean") is None
        history = store.alert(alert(1).id)
        assert history is not None
        assert history.evidence == ()
        assert {path.name for path in (tmp_path / "evidence").iterdir()} == {"2025-06-17", "2025-06-18"}


def test_the_oldest_goes_when_it_is_too_much(tmp_path: Path) -> None:
    clock = HeldClock(days(10))
    with Store(tmp_path, [], clock=clock) as store:
        keep(store, *(on_day(number, number / 10) for number in range(50)), jpeg=bytes(1000))
    with Store(tmp_path, [], clock=clock, limits=replace(PLENTY, evidence_bytes=20_500)) as store:
        forget(store)
        assert there(store) == list(range(40, 50))
        assert store.keeping.status().size == 20_000
        assert store.keeping.status().gone == {"size": 80}
        assert len(store.alerts(1000)) == 50


def test_the_oldest_goes_when_the_disk_fills(tmp_path: Path) -> None:
    clock = HeldClock(days(10))
    disk = Small(tmp_path / "evidence", 100_000)
    with Store(tmp_path, [], clock=clock, disk=disk) as store:
        keep(store, *(on_day(number, number / 10) for number in range(40)), jpeg=bytes(1000))
    with Store(tmp_path, [], clock=clock, disk=disk, limits=replace(PLENTY, free_bytes=50_000)) as store:
        forget(store)
        assert there(store) == list(range(15, 40))
        assert store.keeping.status().gone == {"space": 30}


def test_a_disk_that_frees_late_costs_no_more_than_was_lacking(tmp_path: Path) -> None:
    class Late(Small):
        def free(self) -> int:
            return 10_000

    clock = HeldClock(days(10))
    disk = Late(tmp_path / "evidence", 0)
    with Store(tmp_path, [], clock=clock, disk=disk) as store:
        keep(store, *(on_day(number, number / 10) for number in range(10)), jpeg=bytes(1000))
    with Store(tmp_path, [], clock=clock, disk=disk, limits=replace(PLENTY, free_bytes=14_000)) as store:
        forget(store)
        assert there(store) == list(range(2, 10))
        clock.sleep(LOOK - 1)
        forget(store)
        assert there(store) == list(range(2, 10))
        clock.sleep(1)
        forget(store)
        assert there(store) == list(range(4, 10))


def test_what_is_open_or_held_stays_and_the_limit_that_can_not_be_kept_is_told_once(tmp_path: Path) -> None:
    clock = HeldClock(days(1000))
    with Store(tmp_path, [], clock=clock) as store:
        keep(store, on_day(1, 0), open_still=True)
        keep(store, on_day(2, 0), on_day(3, 0))
        store.keeping.hold(alert(2).id, "police, case 7")
        store.keeping.hold(alert(2).id)
        assert store.keeping.status().held == {alert(2).id: "police, case 7"}
    with Store(tmp_path, [], clock=clock, limits=replace(PLENTY, evidence_bytes=1)) as store:
        with capture_logs() as lines:
            forget(store)
            forget(store)
        assert [line["event"] for line in lines].count("evidence_limit_cannot_be_kept") == 1
        assert there(store) == [1, 2]
        assert {one.id for one in store.alerts()} == {alert(1).id, alert(2).id}
        assert store.keeping.release(alert(2).id)
        assert not store.keeping.release(alert(2).id)
        store.record([ended(on_day(1, 0))], [], [])
        forget(store)
        assert there(store) == []
        assert store.alerts() == []


def test_an_alert_that_may_be_continued_counts_as_open(tmp_path: Path) -> None:
    one = on_day(1, 0)
    lost = ended(one, 10, "lost_sight")
    clock = HeldClock(lost.at.wall_ms + retention.CONTINUED_MS)
    with Store(tmp_path, [], clock=clock, limits=replace(PLENTY, evidence_bytes=1)) as store:
        store.record([fired(one), lost], [still(one)], [])
        forget(store)
        assert store.evidence_path(one.id, "clean") is not None
        clock.wall_ms += 1
        forget(store)
        assert store.evidence_path(one.id, "clean") is None


@pytest.mark.thorough
def test_old_alerts_go_with_all_that_is_known_of_them(tmp_path: Path) -> None:
    clock = HeldClock(days(400.5))
    with Store(tmp_path, [], clock=clock, limits=PLENTY) as store:
        keep(store, *(on_day(number, number / 200) for number in range(250)))
        forget(store)
        assert sorted(int(one.id, 16) for one in store.alerts(1000)) == list(range(100, 250))
        assert there(store) == []
        assert store.keeping.status().gone == {"age": 300}


def test_messages_go_once_nobody_waits_for_them(tmp_path: Path) -> None:
    clock = HeldClock(days(401))
    with Store(tmp_path, ["room"], clock=clock, limits=PLENTY) as store:
        store.record([], [], [message("done"), message("dead"), message("waits"), message("behind")])
        store.record([], [], [Message("new", "alert.fired", "dock", days(1), "{}")])
        store.delivered(store.due(START_MS)[0], START_MS)
        store.failed(store.due(START_MS)[0], START_MS, "410 gone", None)
        forget(store)
        left = []
        while due := store.due(START_MS):
            left += [one.message.id for one in due]
            for one in due:
                store.delivered(one, START_MS)
        assert sorted(left) == ["behind", "new", "waits"]
        assert store.backlog()["room"].dead == 0
        forget(store)
        clock.wall_ms = days(402)
        forget(store)
        with store._database.transaction() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM messages").scalar() == 0


def test_an_alert_that_was_open_for_long_ages_from_its_end(tmp_path: Path) -> None:
    one = on_day(1, 0)
    clock = HeldClock(days(500))
    with Store(tmp_path, [], clock=clock, limits=PLENTY) as store:
        keep(store, one, open_still=True)
        store.record([ended(one, after=500 * 86_400)], [], [])
        clock.wall_ms = days(529)
        assert forget(store) == 0
        assert there(store) == [1]
        clock.wall_ms = days(531)
        forget(store)
        assert there(store) == []
        assert len(store.alerts()) == 1
        clock.wall_ms = days(901)
        forget(store)
        assert store.alerts() == []


def test_what_was_forgotten_does_not_come_back_when_it_is_said_again(tmp_path: Path) -> None:
    clock = HeldClock(days(31))
    with Store(tmp_path, [], clock=clock, limits=PLENTY) as store:
        keep(store, on_day(1, 0))
        forget(store)
        keep(store, on_day(1, 0))
        assert there(store) == []


def test_only_an_alert_that_there_is_can_be_held(tmp_path: Path) -> None:
    with Store(tmp_path, []) as store, pytest.raises(UnknownAlert, match="there is no alert"):
        store.keeping.hold("0000")


def test_a_clock_that_was_set_back_forgets_nothing_early(tmp_path: Path) -> None:
    clock = HeldClock(days(-1000))
    with Store(tmp_path, [], clock=clock, limits=PLENTY) as store:
        keep(store, on_day(1, 0))
        assert forget(store) == 0
        assert there(store) == [1]


def test_a_store_that_is_only_opened_forgets_nothing(tmp_path: Path) -> None:
    with Store(tmp_path, [], clock=HeldClock(days(1000))) as store:
        keep(store, on_day(1, 0))
        assert store.keeping.step() == 0
        assert there(store) == [1]
