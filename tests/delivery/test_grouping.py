"""When people are told, and when they are left alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.grouping import HOUR_MS
from service.delivery.talk import Manners
from service.ports import PostMade
from tests.delivery.crowd import START_MS, YARD, Channel, at, fired, told_of_camera

VEST = ("north", "yard", "vest")


def test_alerts_of_the_same_moment_stand_in_one_message_ten_seconds_after_the_first() -> None:
    channel = Channel()
    for number in range(3):
        channel.happen(fired(str(number), number))
    channel.until(60)
    assert channel.posts() == [(10, "news")]
    assert channel.mentioned() == {"0", "1", "2"}


def test_a_group_that_goes_on_is_told_less_and_less_often() -> None:
    channel = Channel()
    for number in range(120):
        channel.happen(fired(str(number), 60 * number), open=False)
    channel.until(7200)
    times = [when for when, _ in channel.posts()]
    assert times == [10, 310, 910, 2110, 3910, 5710]
    assert channel.mentioned() >= {str(number) for number in range(95)}


def test_a_group_that_was_calm_is_told_at_once_again() -> None:
    channel = Channel()
    channel.happen(fired("a"), open=False)
    channel.until(3000)
    channel.happen(fired("b", 3000), open=False)
    channel.until(3020)
    assert channel.posts() == [(10, "news"), (3010, "news")]


def test_what_is_open_and_not_taken_up_is_reminded_of_every_half_hour() -> None:
    channel = Channel()
    one = fired("a")
    channel.happen(one)
    channel.until(3700)
    assert channel.posts() == [(10, "news"), (1810, "reminder"), (3610, "reminder")]
    channel.say(one, acknowledged=True)
    channel.until(9000)
    assert len(channel.posts()) == 3


@pytest.mark.parametrize("what", ["open", "acknowledged", "false_alarm"])
def test_what_ended_or_was_taken_up_is_not_reminded_of(what: str) -> None:
    channel = Channel()
    one = fired("a")
    channel.happen(one)
    channel.until(20)
    channel.say(one, **{what: what != "open"})
    channel.until(9000)
    assert channel.posts() == [(10, "news")]


def test_what_is_put_off_is_told_when_that_is_over_if_it_is_still_open() -> None:
    channel = Channel()
    stays, goes = fired("a"), fired("b", group=VEST)
    for one in (stays, goes):
        channel.happen(one)
        channel.say(one, snoozed_until_ms=at(600))
    channel.until(100)
    channel.say(goes, open=False)
    channel.until(700)
    assert channel.posts() == [(600, "news")]
    assert (channel.mentioned(), channel.let_go) == ({"a"}, {"b"})


def test_a_false_alarm_is_not_told() -> None:
    channel = Channel()
    one = fired("a")
    channel.happen(one)
    channel.say(one, false_alarm=True)
    channel.until(60)
    assert (channel.posts(), channel.let_go) == ([], {"a"})


def test_what_is_due_at_once_is_one_digest() -> None:
    channel = Channel()
    channel.happen(fired("a"))
    channel.happen(fired("b", 4, VEST, "medium"))
    channel.happen(told_of_camera("c", 6))
    channel.until(60)
    assert channel.posts() == [(10, "digest")]
    assert channel.mentioned() == {"a", "b", "c"}


def test_the_hours_last_post_gathers_and_then_the_hour_is_over() -> None:
    channel = Channel(Manners(most_an_hour=3))
    for number in range(6):
        channel.happen(fired(str(number), 60 * number, ("north", f"zone{number}", "helmet")), open=False)
    channel.happen(fired("late", 400, ("north", "late", "helmet")), open=False)
    channel.until(7200)
    assert channel.posts() == [(10, "news"), (70, "news"), (370, "digest"), (3610, "news")]
    assert channel.mentioned() == {*map(str, range(6)), "late"}


def test_a_camera_is_told_of_plainly_and_its_end_as_well() -> None:
    channel = Channel()
    channel.happen(told_of_camera("gone", 0))
    channel.until(1000)
    channel.happen(told_of_camera("back", 1000, begins=False))
    channel.until(1100)
    assert channel.posts() == [(10, "news"), (1010, "news")]


def test_a_camera_that_comes_and_goes_is_told_of_once_in_a_while() -> None:
    channel = Channel()
    for number in range(60):
        channel.happen(told_of_camera(f"blind{number}", 120 * number, condition="blind"))
        channel.happen(told_of_camera(f"sees{number}", 120 * number + 20, begins=False, condition="blind"))
    channel.until(7200)
    assert len(channel.posts()) <= 6


def test_a_moment_without_pictures_is_no_message_of_its_own() -> None:
    channel = Channel()
    channel.happen(told_of_camera("gone", 0))
    channel.happen(told_of_camera("back", 5, begins=False))
    channel.until(299)
    assert channel.posts() == []
    channel.until(400)
    assert channel.posts() == [(300, "news")]


def test_quiet_hours_hold_all_but_high_severity_and_end_with_a_digest() -> None:
    channel = Channel(quiet=lambda at_ms: at_ms < at(3600))
    channel.happen(fired("high", 60), open=False)
    channel.happen(fired("medium", 60, VEST, "medium"), open=False)
    channel.happen(told_of_camera("gone", 100))
    channel.until(3599)
    assert channel.posts() == [(70, "news")]
    channel.until(3700)
    assert [kind for _, kind in channel.posts()] == ["news", "digest"]
    assert 3600 <= channel.posts()[1][0] <= 3660
    assert channel.mentioned() == {"high", "medium", "gone"}


def test_nobody_asks_for_ends_unless_they_do() -> None:
    ended = fired("end", 30)
    for asks in (False, True):
        channel = Channel(Manners(resolved=asks))
        one = fired("a")
        channel.happen(one)
        channel.until(20)
        channel.say(one, open=False)
        channel.fresh.append(type(one)(**{**{f: getattr(ended, f) for f in ended.__slots__}, "what": "resolved"}))
        channel.until(900)
        assert [kind for _, kind in channel.posts()] == ["news"] * (1 + asks)
        assert channel.let_go == (set() if asks else {"end"})


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    channel = Channel()
    channel.fresh.append(fired("a", 86_400))
    channel.made.append(PostMade(at(86_410), "news", (YARD,)))
    channel.until(60)
    assert channel.mentioned() == {"a"}


def test_a_post_tells_of_twenty_groups_what_presses_first_and_the_rest_is_told_next() -> None:
    channel = Channel(Manners(most_an_hour=2))
    for number in range(22):
        channel.happen(fired(f"ended{number}", 0, ("north", f"zone{number}", "vest"), "medium"), open=False)
    channel.happen(told_of_camera("gone", 1))
    channel.happen(fired("medium", 1, ("north", "gate", "vest"), "medium"))
    channel.happen(fired("high", 1, ("north", "gate", "helmet")))
    channel.until(60)
    ((_, first),) = channel.plans
    assert [talk.fresh[0].id for talk in first.talks[:3]] == ["high", "gone", "medium"]
    assert (len(first.talks), first.rest) == (20, 5)
    channel.until(400)
    assert channel.posts() == [(10, "digest"), (310, "digest")]
    assert len(channel.mentioned()) == 25


def test_nobody_hears_of_the_end_of_what_they_did_not_hear_of() -> None:
    channel = Channel(Manners(resolved=True))
    early, late = fired("a"), fired("b", group=VEST)
    for one in (early, late):
        channel.happen(one)
        channel.say(one, snoozed_until_ms=at(600))
    channel.until(100)
    channel.say(early, open=False)
    channel.happen(replace(early, id="early end", what="resolved", at_ms=at(200)))
    channel.until(599)
    channel.say(late, open=False)
    channel.until(800)
    channel.happen(replace(late, id="late end", what="resolved", at_ms=at(900)))
    channel.until(9000)
    assert channel.posts() == []
    assert channel.let_go == {"a", "b", "early end", "late end"}


GROUPS = [("north", zone, item) for zone in ("yard", "gate", "dock") for item in ("helmet", "vest")]
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 900),
        st.sampled_from(GROUPS),
        st.sampled_from(["none", "end", "acknowledged", "false_alarm", "snoozed"]),
    ),
    max_size=20,
)


@given(EVENTS, st.sampled_from([1, 2, 4, 12]), st.booleans())
def test_whatever_happens_the_limits_hold_and_nothing_is_forgotten(
    events: list[tuple[int, tuple[str, str, str], str]], most: int, hush: bool
) -> None:
    manners = Manners(most_an_hour=most, escalate_after=900)
    channel = Channel(manners, quiet=lambda at_ms: hush and (at_ms - START_MS) % (2 * HOUR_MS) > HOUR_MS)
    now, put_aside = 0, set()
    for number, (gap, group, said) in enumerate(events):
        now += gap
        one = fired(str(number), now, group, "high" if group[2] == "helmet" else "medium")
        channel.happen(one, open=said != "end")
        if said == "snoozed":
            channel.say(one, snoozed_until_ms=at(now + 1200))
        elif said not in {"none", "end"}:
            channel.say(one, **{said: True})
        if said in {"snoozed", "false_alarm"}:
            put_aside.add(one.id)
    channel.until(now + 6 * 3600)
    assert {str(number) for number in range(len(events))} - put_aside <= channel.mentioned()
    times = [when for when, _ in channel.plans]
    assert all(sum(after - HOUR_MS < other <= after for other in times) <= most for after in times)
    told = Counter(name for _, one in channel.plans for name in one.tells)
    assert all(count == 1 for count in told.values())
    for group in GROUPS:
        of_it = [when for when, one in channel.plans if group in {talk.group for talk in one.talks}]
        assert all(later - earlier >= 300_000 for earlier, later in pairwise(of_it))
