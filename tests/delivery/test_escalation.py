"""When others are told of what nobody took up."""

from __future__ import annotations

import pytest

from service.delivery.grouping import HOUR_MS
from service.delivery.talk import Manners
from service.ports import PostMade, Standing
from service.safety.site import Severity
from tests.delivery.crowd import YARD, Channel, at, fired


def test_others_are_told_when_nobody_took_it_up_for_a_quarter_of_an_hour() -> None:
    channel = Channel(Manners(escalate_after=900))
    channel.happen(fired("a"))
    channel.until(7200)
    assert channel.escalated == [(at(910), ("a",))]


def test_visitors_who_come_one_by_one_are_handed_on_as_well() -> None:
    channel = Channel(Manners(escalate_after=900))
    before = None
    for number in range(8):
        one = fired(str(number), 180 * number)
        channel.happen(one)
        if before:
            channel.say(before, open=False)
        before = one
        channel.until(180 * number + 179)
    assert [when for when, _ in channel.escalated] == [at(910)]


@pytest.mark.parametrize("what", ["acknowledged", "false_alarm"])
def test_what_was_taken_up_is_handed_on_to_nobody(what: str) -> None:
    channel = Channel(Manners(escalate_after=900))
    one = fired("a")
    channel.happen(one)
    channel.until(600)
    channel.say(one, **{what: True})
    channel.until(7200)
    assert channel.escalated == []


def test_two_alerts_hours_apart_are_not_one_matter() -> None:
    channel = Channel(Manners(escalate_after=900))
    channel.happen(fired("a"), open=False)
    channel.until(5400)
    channel.happen(fired("b", 5400))
    channel.until(5500)
    assert channel.escalated == []


def test_after_a_clock_was_set_back_what_is_open_is_reminded_of_and_handed_on() -> None:
    channel = Channel(Manners(escalate_after=900))
    channel.told.append(fired("a", 36_000))
    channel.standings["alert-a"] = Standing(open=True)
    channel.made.append(PostMade(at(36_010), "news", (YARD,)))
    channel.until(3700)
    assert channel.posts() == [(0, "reminder"), (1800, "reminder"), (3600, "reminder")]
    assert channel.escalated == [(at(0), ("a",))]


def test_what_was_handed_on_before_a_clock_was_set_back_is_another_matter() -> None:
    channel = Channel(Manners(escalate_after=900))
    channel.told.append(fired("old", 36_000))
    channel.standings["alert-old"] = Standing()
    channel.made.append(PostMade(at(36_910), "escalation", (YARD,)))
    channel.happen(fired("new"))
    channel.until(7200)
    assert channel.escalated == [(at(910), ("new",))]


@pytest.mark.parametrize("after", [900, 10_800])
def test_visitors_who_come_one_by_one_for_hours_are_handed_on_once(after: int) -> None:
    channel = Channel(Manners(escalate_after=after))
    for number in range(200):
        channel.happen(fired(str(number), 180 * number))
        if number:
            channel.say(fired(str(number - 1)), open=False)
        channel.until(180 * number + 179)
    assert [when for when, _ in channel.escalated] == [at(after + 10)]


def test_an_alert_of_today_is_handed_on_whatever_was_yesterday() -> None:
    channel = Channel(Manners(escalate_after=900))
    channel.made.append(PostMade(at(-80_000), "escalation", (YARD,)))
    one = fired("a")
    channel.happen(one)
    channel.until(600)
    channel.say(one, snoozed_until_ms=at(10_800))
    channel.until(20_000)
    assert channel.escalated == [(at(10_800 + 910), ("a",))]


def test_others_are_told_when_there_was_time_to_take_it_up_after_a_snooze() -> None:
    channel = Channel(Manners(escalate_after=900))
    one = fired("a")
    channel.happen(one)
    channel.say(one, snoozed_until_ms=at(3600))
    channel.until(9000)
    assert channel.posts()[0] == (3600, "news")
    assert channel.escalated == [(at(4510), ("a",))]


@pytest.mark.parametrize("severity", ["high", "medium"])
def test_others_are_told_when_there_was_time_to_take_it_up_after_quiet_hours(severity: Severity) -> None:
    woken = at(0) // HOUR_MS * HOUR_MS + HOUR_MS
    channel = Channel(Manners(escalate_after=900), quiet=lambda at_ms: at_ms < woken)
    channel.happen(fired("a", severity=severity))
    channel.until(9000)
    assert [when for when, _ in channel.escalated] == [at(910) if severity == "high" else woken + 910_000]
