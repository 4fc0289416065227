"""One camera over several lives of the service: alerts outlive a restart, and there is one each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.restart import one_restart
from service.safety.moment import Moment
from service.worker.clock import SystemClock, on_this_clock
from tests.safety.films import START_MS, worker
from tests.safety.scenes import Row
from tests.store.made import alert
from tests.worker.plays import CameraClock, Play
from tests.worker.stores import Noting


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


def test_the_machines_clocks_go_forwards_and_wait() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert clock.now().since(before) >= 0.001
