from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.alerts import AlertChange
from service.safety.equipment import ClassName, Equipment
from service.safety.monitor import Monitor, Observation, OutOfOrder
from service.safety.site import AlertPolicy, Requirement, Scene, Zone
from service.safety.thresholds import Thresholds
from tests.safety.films import Look, NearestTracker, frames, moment, worker
from tests.safety.scenes import Row, scene

EXAMPLES = int(os.environ.get("PPE_TEST_EXAMPLES", "40"))


def monitor(**site: object) -> Monitor:
    return Monitor(Scene(camera="north", **site), Thresholds(), NearestTracker())  # type: ignore[arg-type]


def watch(look: Look, seconds: float, fps: float = 5.0, **site: object) -> list[AlertChange]:
    watched = monitor(**site)
    return [change for seen, at in frames(look, seconds, fps) for change in watched.observe(seen, at).alerts]


def said(changes: list[AlertChange]) -> list[tuple[str, str]]:
    return [(change.kind, change.alert.equipment) for change in changes]


def test_a_compliant_worker_is_no_alert() -> None:
    assert watch(lambda _: worker(), 30) == []


def test_a_bare_head_is_one_alert_within_three_seconds() -> None:
    (change,) = watch(lambda _: worker(helmet="no-helmet"), 30)
    assert (change.kind, change.alert.equipment, change.alert.severity) == ("fired", "helmet", "high")
    assert change.alert.zone == "whole-picture"
    assert 2.0 <= change.at.seconds <= 3.0


@pytest.mark.parametrize("fps", [10, 5, 2.5, 1])
def test_alerts_are_the_same_at_every_rate(fps: float) -> None:
    def look(seconds: float) -> list[Row]:
        return worker(helmet="no-helmet" if 5 <= seconds < 15 else "helmet")

    changes = watch(look, 40, fps)
    assert said(changes) == [("fired", "helmet"), ("resolved", "helmet")]
    assert changes[0].alert.since.seconds == pytest.approx(5.0, abs=1 / fps)
    assert changes[0].at.seconds <= 5 + 2 + max(1.0, 3 / fps)


def test_one_odd_frame_changes_nothing() -> None:
    def look(seconds: float) -> list[Row]:
        odd = round(seconds * 5) % 10 == 0
        return worker(helmet="no-helmet" if odd else "helmet")

    assert watch(look, 60) == []


def test_an_odd_frame_does_not_resolve() -> None:
    def look(seconds: float) -> list[Row]:
        odd = round(seconds * 5) % 10 == 0
        return worker(helmet="helmet" if odd else "no-helmet")

    assert said(watch(look, 60)) == [("fired", "helmet")]


def test_nothing_seen_is_unknown_and_no_alert() -> None:
    watched = monitor()
    for seen, at in frames(lambda _: worker(helmet=None, vest=None), 15):
        observation = watched.observe(seen, at)
        assert observation.alerts == ()
    (person,) = observation.people
    assert (person.helmet.state, person.helmet.reason) == ("unknown", "no_evidence")
    assert observation.unverified == (person.person,)


def test_the_absence_rule_is_opt_in() -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    required = (Requirement(equipment="vest", absent_after=4.0),)
    zones = (Zone(id="yard", polygon=whole, require=required),)
    (change,) = watch(lambda _: worker(vest=None), 20, zones=zones)
    assert change.alert.by_absence
    assert change.alert.equipment == "vest"
    assert 3.6 <= change.at.seconds <= 4.6


def test_one_alert_through_a_short_occlusion_and_an_identity_switch() -> None:
    def look(seconds: float) -> list[Row]:
        if 5 <= seconds < 8:
            return []
        return worker(x=300 if seconds < 5 else 420, helmet="no-helmet")

    assert said(watch(look, 20)) == [("fired", "helmet")]


def test_people_far_apart_are_two_alerts() -> None:
    def look(_: float) -> list[Row]:
        return worker(x=100, helmet="no-helmet") + worker(x=700, helmet="no-helmet")

    changes = watch(look, 10)
    assert said(changes) == [("fired", "helmet")] * 2
    assert len({change.alert.person for change in changes}) == 2


def test_nothing_fires_on_a_stale_input() -> None:
    watched = monitor()
    for seen, at in frames(lambda _: worker(helmet="no-helmet"), 30):
        observation = watched.observe(seen, at, stale=True)
        assert observation.alerts == ()
        assert all(person.helmet.reason == "stale_input" for person in observation.people)


def test_a_frame_that_is_not_newer_is_refused_and_changes_nothing() -> None:
    look: Look = lambda _: worker(helmet="no-helmet")  # noqa: E731
    plain = watch(look, 10)
    watched = monitor()
    changes: list[AlertChange] = []
    rng = random.Random(1)
    for seen, at in frames(look, 10):
        changes += watched.observe(seen, at).alerts
        with pytest.raises(OutOfOrder):
            watched.observe(seen, moment(at.seconds - rng.choice([0, 0.2, 1.0])))
    assert changes == plain


def test_the_same_frames_give_the_same_observations() -> None:
    def run() -> list[Observation]:
        watched = monitor()
        film = frames(lambda s: worker(x=300 + 5 * s, helmet="no-helmet" if s > 3 else "helmet"), 12)
        return [watched.observe(seen, at) for seen, at in film]

    assert [o.alerts for o in run()] == [o.alerts for o in run()]
    assert run()[-1].people == run()[-1].people


def test_zones_decide_by_the_foot_point() -> None:
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    right = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
    zones = (
        Zone(id="yard", polygon=left, require=(Requirement(equipment="helmet"),)),
        Zone(id="office", polygon=right, exempt=True),
    )

    def look(_: float) -> list[Row]:
        bare = {"helmet": "no-helmet", "vest": "no-vest"}
        return worker(x=100, **bare) + worker(x=700, **bare)  # type: ignore[arg-type]

    changes = watch(look, 10, zones=zones)
    assert said(changes) == [("fired", "helmet")]
    assert changes[0].alert.zone == "yard"


def test_feet_out_of_the_picture_make_the_zone_uncertain() -> None:
    (change,) = watch(lambda _: worker(y=500, helmet="no-helmet", vest="vest"), 10)
    assert change.alert.zone_uncertain


@pytest.mark.parametrize("second", range(0, 60, 3))
def test_a_restart_at_any_second_of_an_episode_is_one_alert(second: int) -> None:
    """The book is rebuilt from what was committed; the person is found again by place and time."""
    watched = monitor()
    changes: list[AlertChange] = []
    down = 2.0
    for seen, at in frames(lambda _: worker(helmet="no-helmet"), 60):
        if second <= at.seconds < second + 0.2:
            committed = watched.open_alerts
            watched = monitor()
            watched.restore(committed)
        if not second <= at.seconds < second + down:
            changes += watched.observe(seen, at).alerts
    assert said(changes) == [("fired", "helmet")]


@pytest.mark.thorough
@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(st.floats(0.2, 1.2), st.booleans(), st.floats(0, 0.3)), min_size=10, max_size=60))
def test_random_flapping_never_opens_two_alerts_for_one_person(pattern: list[tuple[float, bool, float]]) -> None:
    """Heads that look bare and covered in turn, with misses: alerts of one person never overlap."""
    rng = random.Random(len(pattern))
    edges: list[tuple[float, bool, float]] = []
    now = 0.0
    for seconds, bare, miss in pattern:
        now += seconds
        edges.append((now, bare, miss))

    def look(seconds: float) -> list[Row]:
        _, bare, miss = next((edge for edge in edges if seconds < edge[0]), edges[-1])
        return worker(helmet=None if rng.random() < miss else "no-helmet" if bare else "helmet")

    opened: set[str] = set()
    for change in watch(look, now):
        if change.kind in ("fired", "updated"):
            assert not opened
            opened.add(change.alert.id)
        else:
            opened.remove(change.alert.id)


@pytest.mark.thorough
@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**32), st.floats(0.0, 0.3), st.floats(0.0, 0.1))
def test_an_episode_seen_badly_is_one_alert(seed: int, miss: float, wrong: float) -> None:
    """20 s without a helmet, with missed and wrong frames, then 15 s with one: one alert, which resolves."""
    rng = random.Random(seed)

    def look(seconds: float) -> list[Row]:
        bare = seconds < 20
        drawn = rng.random()
        if drawn < miss:
            return worker(helmet=None)
        if drawn < miss + wrong:
            bare = not bare
        return worker(helmet="no-helmet" if bare else "helmet")

    changes = [change for change in watch(look, 45) if change.kind in ("fired", "updated")]
    assert [change.kind for change in changes] == ["fired"]


def test_person_seconds_and_cannot_judge() -> None:
    watched = monitor()
    total = 0.0
    events = []
    for seen, at in frames(lambda s: worker(helmet="helmet" if s > 120 else None), 400):
        observation = watched.observe(seen, at)
        total += sum(seconds for (_, one, _), seconds in observation.person_seconds.items() if one == "vest")
        events += observation.cannot_judge
    assert total == pytest.approx(399.8, abs=1)
    assert [(event.equipment, event.begins) for event in events] == [("helmet", True), ("helmet", False)]


def test_what_could_not_be_judged_before_a_restart_can_be_again_and_is_not_told_anew() -> None:
    def told(restored: list[Equipment], helmet: ClassName | None) -> list[tuple[str, bool]]:
        watched = monitor()
        watched.restore([], restored)
        played = [watched.observe(seen, at).cannot_judge for seen, at in frames(lambda _: worker(helmet=helmet), 120)]
        return [(change.equipment, change.begins) for changes in played for change in changes]

    assert told([], None) == [("helmet", True)]
    assert told(["helmet"], None) == []
    assert told(["helmet"], "helmet") == [("helmet", False)]


def test_policy_moves_the_delay() -> None:
    (change,) = watch(lambda _: worker(helmet="no-helmet"), 20, policy=AlertPolicy(on_delay=6))
    assert 6.0 <= change.at.seconds <= 7.0


def test_nobody_on_the_picture() -> None:
    watched = monitor()
    assert watched.observe(scene(), moment(1)).people == ()
