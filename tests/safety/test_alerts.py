from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.safety.alerts import AlertBook, AlertChange
from service.safety.moment import Moment
from service.safety.rules import Demand, Standing
from service.safety.site import AlertPolicy
from tests.safety.reference import Seen, reference

EXAMPLES = int(os.environ.get("PPE_TEST_EXAMPLES", "300"))
"""`make proof` runs 10,000."""
BOX = (0.0, 0.0, 10.0, 30.0)
POLICY = AlertPolicy()


def moment(seconds: float) -> Moment:
    return Moment(seconds, round(seconds * 1000))


def histories(script: list[tuple[float, str | None]]) -> list[Seen]:
    """From (interval, standing) a frame. A violation's `since` lives through gaps without worn of up to 3.5 s.

    "doubted" is a violation that is still believed on a frame that doesn't show it.
    """
    frames: list[Seen] = []
    seconds, since, since_other, sightings = 0.0, 0.0, 0.0, 0
    evidence: tuple[float, str] | None = None
    before: str | None = None
    for interval, shown in script:
        seconds = round(seconds + interval, 3)
        confirmed, standing = shown != "doubted", shown
        if not confirmed:
            believed = before == "violated" and evidence is not None and seconds - evidence[0] <= 3.5
            standing = "violated" if believed else "met"
        if standing == "violated":
            if evidence is None and before is None and len(frames) % 2:
                since, sightings = max(0.0, seconds - 20), 40  # bare-headed long before somebody asked for a helmet
            elif evidence is None or evidence[1] == "met" or seconds - evidence[0] > 3.5:
                since, sightings = seconds, 0
            sightings += confirmed
        elif standing != before:
            since_other = seconds
        if standing in ("met", "violated"):
            evidence = (seconds, standing)
        began = since if standing == "violated" else since_other if standing else 0.0
        frames.append(Seen(seconds, standing, began, sightings if standing == "violated" else 0, confirmed))
        before = standing
    return frames


def demand(seen: Seen, person: str = "p", equipment: str = "helmet") -> Demand:
    standing: Standing = seen.standing  # type: ignore[assignment]
    return Demand(person, "gate", equipment, standing, moment(seen.since), seen.sightings, BOX, seen.confirmed)  # type: ignore[arg-type]


def play(frames: list[Seen], policy: AlertPolicy = POLICY) -> list[AlertChange]:
    book = AlertBook("north", policy)
    return [
        change
        for seen in frames
        for change in book.advance([demand(seen)] if seen.standing else [], moment(seen.seconds))
    ]


def kinds(changes: list[AlertChange]) -> list[tuple[float, str]]:
    return [(change.at.seconds, change.kind) for change in changes]


def steady(standing: str | None, seconds: float, interval: float = 0.2) -> list[tuple[float, str | None]]:
    return [(interval, standing)] * round(seconds / interval)


intervals = st.sampled_from([0.1, 0.2, 0.4, 1.0, 5.0, 20.0])
standings = st.sampled_from(["met", "violated", "violated", "doubted", "unknown", None])
scripts = st.lists(st.tuples(intervals, standings, st.integers(1, 12)), max_size=20).map(
    lambda runs: [(interval, standing) for interval, standing, count in runs for _ in range(count)]
)


@settings(max_examples=EXAMPLES)
@given(scripts)
def test_the_same_alerts_as_the_slow_obvious_reference(script: list[tuple[float, str | None]]) -> None:
    frames = histories(script)
    assert kinds(play(frames)) == reference(frames, POLICY)


@settings(max_examples=EXAMPLES)
@given(st.lists(scripts, min_size=2, max_size=4))
def test_people_do_not_disturb_each_other(several: list[list[tuple[float, str | None]]]) -> None:
    together = AlertBook("north", POLICY)
    length = min(len(script) for script in several)
    clock = [interval for interval, _ in several[0][:length]]
    people = [
        histories([(interval, standing) for interval, (_, standing) in zip(clock, script, strict=False)])
        for script in several
    ]
    found: dict[str, list[tuple[float, str]]] = {str(index): [] for index in range(len(people))}
    for index in range(length):
        asked = [demand(frames[index], str(number)) for number, frames in enumerate(people) if frames[index].standing]
        for change in together.advance(asked, moment(people[0][index].seconds)):
            found[change.alert.person].append((change.at.seconds, change.kind))
    for number, frames in enumerate(people):
        assert found[str(number)] == kinds(play(frames))


def test_fires_after_the_delay_and_resolves_after_worn() -> None:
    changes = play(histories([*steady("violated", 4), *steady("met", 8)]))
    assert [change.kind for change in changes] == ["fired", "resolved"]
    fired, resolved = changes
    assert fired.at.seconds - fired.alert.since.seconds == pytest.approx(2.0)
    assert resolved.at.seconds == pytest.approx(4.2 + 5.0)
    assert resolved.alert.ending == "worn"
    assert resolved.alert.id == fired.alert.id


def test_who_comes_into_a_zone_bare_headed_has_the_delay_too() -> None:
    """The belief is older than the demand: the clock starts where the demand does."""
    book = AlertBook("north", POLICY)
    changes: list[AlertChange] = []
    for index in range(20):
        at = moment(60 + index / 5)
        changes += book.advance([Demand("p", "gate", "helmet", "violated", moment(0), 300 + index, BOX)], at)
    (fired,) = changes
    assert fired.at.seconds == pytest.approx(62.0)
    assert fired.alert.since.seconds == pytest.approx(60.0)


def test_nothing_fires_on_a_frame_that_contradicts_it() -> None:
    """A belief turns late: when the delay ends while frames show it worn, the alert waits for one that does not."""
    assert play(histories([*steady("violated", 1.6), *steady("doubted", 1.6), *steady("met", 10)])) == []
    (fired,) = play(histories([*steady("violated", 1.6), *steady("doubted", 1.6), *steady("violated", 0.2)]))
    assert fired.at.seconds == pytest.approx(3.4)


def test_a_short_violation_is_no_alert() -> None:
    assert play(histories([*steady("violated", 1.8), *steady("met", 10)])) == []


def test_two_sightings_are_too_few_however_long() -> None:
    assert play(histories([(0.2, "violated"), (5.0, "violated")])) == []


def test_unknown_pauses_the_clock_and_a_long_one_resets_it() -> None:
    paused = play(histories([*steady("violated", 1.4), *steady("unknown", 1.6), *steady("violated", 3)]))
    assert [change.kind for change in paused] == ["fired"]
    reset = play(histories([*steady("violated", 1.8), *steady("unknown", 3), *steady("violated", 1.6)]))
    assert reset == []


def test_unknown_never_resolves() -> None:
    changes = play(histories([*steady("violated", 3), *steady("unknown", 29), *steady("violated", 1)]))
    assert [change.kind for change in changes] == ["fired"]


def test_without_evidence_it_closes_as_lost_sight_not_resolved() -> None:
    for standing in ("unknown", None):
        changes = play(histories([*steady("violated", 3), *steady(standing, 40)]))
        assert [change.kind for change in changes] == ["fired", "lost_sight"]
        assert changes[1].alert.ending == "lost_sight"
        assert changes[1].at.seconds == pytest.approx(3.0 + 30.0)


def test_who_reappears_in_time_continues_the_same_alert() -> None:
    changes = play(histories([*steady("violated", 3), *steady(None, 45), *steady("violated", 3)]))
    assert [change.kind for change in changes] == ["fired", "lost_sight", "updated"]
    assert len({change.alert.id for change in changes}) == 1
    assert changes[2].alert.ended is None
    late = play(histories([*steady("violated", 3), *steady(None, 70), *steady("violated", 3)]))
    assert [change.kind for change in late] == ["fired", "lost_sight", "fired"]


def test_an_alert_from_before_a_restart_is_continued_not_fired_again() -> None:
    (fired,) = play(histories(steady("violated", 3)))
    book = AlertBook("north", POLICY)
    book.restore([fired.alert])
    frames = histories([(3.0, None), *steady("violated", 10), *steady("met", 8)])
    changes = [
        change
        for seen in frames
        for change in book.advance([demand(seen)] if seen.standing else [], moment(seen.seconds))
    ]
    assert [change.kind for change in changes] == ["resolved"]
    assert changes[0].alert.id == fired.alert.id


def test_ids_are_the_same_in_every_replay_and_differ_between_violations() -> None:
    script = histories([*steady("violated", 3), *steady("met", 8), *steady("violated", 3)])
    one, two = play(script), play(script)
    assert [change.alert.id for change in one] == [change.alert.id for change in two]
    assert one[0].alert.id != one[2].alert.id


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(st.sampled_from([0.5, 0.3, 0.8, 1.2]), st.booleans()), min_size=20, max_size=200))
def test_flapping_fires_at_most_one_alert_an_episode(pattern: list[tuple[float, bool]]) -> None:
    """Missing and worn in turn, none long enough to end an episode: at most one alert, and never two open."""
    script: list[tuple[float, str | None]] = []
    for seconds, missing in pattern:
        script += steady("violated" if missing else "met", max(seconds, 0.2))
    changes = play(histories(script))
    is_open = False
    for change in changes:
        assert (change.kind == "fired") != is_open
        is_open = change.kind == "fired"
