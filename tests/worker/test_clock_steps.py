"""The wall clock is set back or forward while cameras are watched: delays go by the other clock, and ids stay apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.ports import Frame
from service.store.store import Store
from tests.safety.films import Look, worker
from tests.safety.scenes import Row
from tests.worker.plays import Play
from tests.worker.stores import Noting

HOUR = 3600.0
STEPS = {"back two hours": -2 * HOUR, "on a day": 24 * HOUR, "summer time": HOUR, "back a second": -1.0}


def each(seconds: dict[str, float], name: str) -> pytest.MarkDecorator:
    """Try the first of several by default and all of them thoroughly."""
    later = [pytest.param(value, marks=pytest.mark.thorough, id=key) for key, value in list(seconds.items())[1:]]
    first, *_ = seconds
    return pytest.mark.parametrize(name, [pytest.param(seconds[first], id=first), *later])


def bare_until(second: float) -> Look:
    return lambda film: worker(helmet="no-helmet" if film < second else "helmet")


def stepping(play: Play, seconds: float, at: float, step: float) -> Iterator[Frame]:
    """The frames of a film, with the wall clock set once."""
    yield from play.frames(0, at)
    play.clock.ahead += step
    yield from play.frames(at, seconds)


@each(STEPS, "step")
@each({"open": 6.0, "pending": 1.0, "just fired": 2.6, "ending": 12.0}, "at")
def test_an_episode_over_a_step_of_the_clock_is_one_alert(step: float, at: float) -> None:
    store = Noting()
    play = Play(bare_until(10), store)
    play.run(stepping(play, 20, at, step))
    assert store.told() == ["alert.fired", "alert.resolved"]
    assert [change.kind for change in store.changes] == ["fired", "resolved"]
    fired, resolved = (change.at.seconds for change in store.changes)
    assert 2 <= fired <= 2.6
    assert 15 <= resolved <= 17


@pytest.mark.thorough
@each(STEPS, "step")
def test_who_is_lost_sight_of_over_a_step_is_told_after_thirty_seconds(step: float) -> None:
    store = Noting()
    play = Play(lambda film: worker(helmet="no-helmet") if film < 10 else [], store)
    play.run(stepping(play, 60, 20.0, step))
    assert [change.kind for change in store.changes] == ["fired", "lost_sight"]
    assert 39 <= store.changes[1].at.seconds <= 41


@each({"back two hours": -2 * HOUR, "back a second": -1.0}, "step")
def test_a_clock_that_is_set_back_during_a_restart_doubles_no_alert(tmp_path: Path, step: float) -> None:
    assert restarted(tmp_path, step) == [["fired", "resolved"]]


@each({"summer time": HOUR, "on a day": 24 * HOUR}, "step")
def test_one_that_is_set_forward_is_a_restart_that_took_so_long(tmp_path: Path, step: float) -> None:
    """Nothing tells the one from the other: the old alert ends as lost sight of, and who stands there is a new one."""
    assert restarted(tmp_path, step) == [["fired", "resolved"], ["fired", "lost_sight"]]


def restarted(folder: Path, step: float) -> list[list[str]]:
    """Stop at 20 s of an episode and go on two seconds later with the wall clock set; return each alert's changes."""
    with Store(folder, ["hook"]) as store:
        before = Play(bare_until(60), store)
        before.run(before.frames(0, 20))
    with Store(folder, ["hook"]) as store:
        after = Play(bare_until(30), store)
        after.clock.ahead, after.clock.film = step, 21.5
        after.run(after.frames(22, 60))
        histories = [store.alert(alert.id) for alert in store.alerts()]
    return sorted([change.kind for change in history.changes] for history in histories if history)[::-1]


def test_alerts_on_both_sides_of_an_hour_that_comes_twice_have_ids_of_their_own(tmp_path: Path) -> None:
    """Summer time ends: the same wall-clock hour again, the same place, another violation."""

    def look(film: float) -> list[Row]:
        return [] if film % 100 >= 5 else worker(helmet="no-helmet")

    with Store(tmp_path, []) as store:
        play = Play(look, store)
        play.run(stepping(play, 110, 100.0, -100.0))
        alerts = store.alerts()
    assert len(alerts) == len({alert.id for alert in alerts}) == 2
