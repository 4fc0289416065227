"""One camera over several lives of the service: alerts outlive a restart, and there is one each."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.restart import one_restart
from service.safety.moment import Moment
from service.worker.clock import SystemClock, on_this_clock
from tests.safety.films import START_MS, Look, worker
from tests.safety.scenes import Row
from tests.store.made import alert
from tests.worker.plays import CameraClock, Play
from tests.worker.stores import Noting

pytestmark = pytest.mark.thorough


def bare_until_20(film: float) -> list[Row]:
    return worker(helmet="no-helmet" if film < 20 else "helmet")


def test_an_open_alert_goes_on_after_a_restart_on_another_clock() -> None:
    store = Noting()
    before = Play(bare_until_20, store, clock=CameraClock(boot=90_000.0))
    before.run(before.frames(0, 8))
    after = Play(bare_until_20, store, clock=CameraClock(boot=5.0))
    after.clock.film = 11.0
    after.run(after.frames(11, 40))
    assert store.told() == ["alert.fired", "alert.resolved"]
    fired, resolved = store.changes
    assert fired.alert.id == resolved.alert.id
    assert resolved.alert.since.wall_ms == fired.alert.since.wall_ms == START_MS
    assert 25 <= (resolved.at.wall_ms - START_MS) / 1000 <= 27


def test_nobody_there_after_a_restart_is_lost_sight() -> None:
    store = Noting()
    before = Play(bare_until_20, store)
    before.run(before.frames(0, 8))
    after = Play(lambda _: [], store, clock=CameraClock(boot=700.0))
    after.clock.film = 11.0
    after.run(after.frames(11, 50))
    assert [change.kind for change in store.changes] == ["fired", "lost_sight"]
    assert 37 <= (store.changes[-1].at.wall_ms - START_MS) / 1000 <= 39


def test_a_camera_that_stays_dead_after_a_restart_loses_sight_as_well() -> None:
    store = Noting()
    before = Play(bare_until_20, store)
    before.run(before.frames(0, 8))
    after = Play(bare_until_20, store, clock=CameraClock(boot=700.0))
    after.clock.film = 11.0
    after.run([after.state("connecting", 11), after.state("offline", 12, "STREAM_TIMEOUT")], [None] * 60)
    assert store.told() == ["alert.fired", "camera.offline", "alert.resolved"]
    assert store.changes[-1].kind == "lost_sight"


def gone_from_8_to(second: float) -> Look:
    return lambda film: [] if 8 <= film < second else worker(helmet="no-helmet")


@pytest.mark.parametrize(("back", "told"), [(55, "alert.updated"), (75, "alert.fired")])
def test_who_comes_back_after_a_restart_that_followed_lost_sight(back: float, told: str) -> None:
    """Within a minute of the last sighting the alert goes on; later it is a new one, as without the restart."""
    store = Noting()
    before = Play(gone_from_8_to(back), store, clock=CameraClock(boot=90_000.0))
    before.run(before.frames(0, 42))
    assert store.told() == ["alert.fired", "alert.resolved"]
    after = Play(gone_from_8_to(back), store, clock=CameraClock(boot=5.0))
    after.clock.film = 45.0
    after.run(after.frames(45, 90))
    assert store.told() == ["alert.fired", "alert.resolved", told]
    assert len({change.alert.id for change in store.changes}) == (1 if told == "alert.updated" else 2)


def test_who_was_lost_sight_of_later_than_now_is_not_waited_for() -> None:
    """The wall clock was set back by an hour between two lives: nobody knows how long ago it was."""
    store = Noting()
    before = Play(gone_from_8_to(60), store, clock=CameraClock(boot=90_000.0))
    before.clock.ahead = 3600.0
    before.run(before.frames(0, 42))
    after = Play(gone_from_8_to(0), store)
    after.run(after.frames(45, 50))
    assert store.told() == ["alert.fired", "alert.resolved", "alert.fired"]


def test_offline_and_back_are_told_once_each_over_restarts() -> None:
    store = Noting()
    lives = [
        [("connecting", None), ("offline", "STREAM_TIMEOUT")],
        [("connecting", None), ("offline", "STREAM_LOST")],
        [("connecting", None), ("live", None)],
        [("connecting", None), ("live", None)],
        [("live", None), ("offline", "STREAM_LOST")],
    ]
    for number, life in enumerate(lives):
        play = Play(lambda _: [], store, clock=CameraClock(boot=100.0 * number))
        play.clock.film = 10.0 * number
        play.run([play.state(status, 10 * number + second, code) for second, (status, code) in enumerate(life)])
    assert store.told() == ["camera.offline", "camera.online", "camera.offline"]


@pytest.mark.thorough
def test_a_camera_that_cannot_judge_is_told_once_and_its_end_too_over_restarts() -> None:
    def look(film: float) -> list[Row]:
        return worker(helmet=None if film < 300 else "helmet")

    store = Noting()
    for start in (0, 150, 300, 450):
        play = Play(look, store, clock=CameraClock(boot=1000.0 - start))
        play.clock.film = float(start)
        play.run(play.frames(start, start + 150))
    judged = [json.loads(one.payload)["data"] for one in store.messages]
    assert [(one["equipment"], one["begins"]) for one in judged] == [("helmet", True), ("helmet", False)]


def test_a_failing_detector_is_told_once_and_its_end_too_over_restarts() -> None:
    store = Noting()
    for start in (0, 20, 40):
        play = Play(lambda _: worker(), store, broken=lambda film: film < 40)
        play.clock.film = float(start)
        play.run(play.frames(start, start + 20))
    judged = [json.loads(one.payload)["data"] for one in store.messages]
    assert [(one["equipment"], one["begins"]) for one in judged] == [
        ("helmet", True),
        ("vest", True),
        ("helmet", False),
        ("vest", False),
    ]


def test_another_cameras_alerts_are_left_alone() -> None:
    store = Noting()
    before = Play(bare_until_20, store)
    before.run(before.frames(0, 8))
    other = Play(lambda _: worker(), store, scene=before.scene.model_copy(update={"camera": "yard"}))
    other.run(other.frames(8, 60))
    assert [one.camera for one in store.open_alerts("gate")] == ["gate"]


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("second", [1, 3, 31])
def test_a_restart_in_an_episode_is_one_alert_in_the_real_store(tmp_path: Path, second: int, killed: bool) -> None:
    """All sixty seconds: python -m benchmarks.restart."""
    outcome = one_restart(tmp_path, second, killed=killed)
    assert Counter(outcome.kinds) == {"fired": 1, "resolved": 1}
    assert outcome.messages == ["alert.fired", "alert.resolved"]
    assert outcome.alerts == 1


def test_moments_of_an_earlier_run_are_read_off_the_wall() -> None:
    old = alert(7)
    now = Moment(3.0, old.seen.wall_ms + 4000)
    moved = on_this_clock(old, now)
    assert moved.seen == Moment(-1.0, old.seen.wall_ms)
    assert moved.fired.since(moved.since) == pytest.approx(old.fired.since(old.since))
    set_back = on_this_clock(old, Moment(3.0, old.seen.wall_ms - 4000))  # the wall clock was set back meanwhile
    assert set_back.seen.seconds == 3.0
    gone = replace(old, ended=old.seen, ending="lost_sight")
    assert on_this_clock(gone, now).ended == Moment(-1.0, old.seen.wall_ms)


def test_the_machines_clocks_go_forwards_and_wait() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert clock.now().since(before) >= 0.001
