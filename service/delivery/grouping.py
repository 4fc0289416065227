"""When a channel of people is posted to, and of what. Pure: what is known goes in, a post or the next look comes out.

What belongs together (a camera, zone and equipment; or one trouble of a camera) is a group. Its first message follows
shortly on its first alert; the next one waits, and each time longer while the group goes on (an episode), so that a bad
day does not wear people out. What is due at once goes into one digest, and so does what an hour has no more room for.
Nothing is dropped: what waits stands in the next post of its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.delivery.escalation import Escalation, handed_on
from service.delivery.talk import Known, Manners, Quiet, Talk, sorted_out
from service.ports import PostKind

HOUR_MS: Final = 3_600_000
LOOK_MS: Final = 60_000
"""Longest time until the next look: quiet hours begin and end, and people say things of alerts."""
MOST_GROUPS: Final = 20
"""Groups that one post tells of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        kind: of the post that is due; None when none is.
        talks: what it is about, what presses first.
        let_go: ids of what is not worth telling any more.
        escalations: what others are to be told.
        look_ms: when to look again, at the latest (Unix ms).
        rest: groups that are due as well, and that the post has no room for.
    """

    kind: PostKind | None
    talks: tuple[Talk, ...]
    let_go: frozenset[str]
    escalations: tuple[Escalation, ...]
    look_ms: int
    rest: int = 0

    @property
    def tells(self) -> frozenset[str]:
        """The ids of the messages that the post tells of."""
        return frozenset(notice.id for talk in self.talks for notice in talk.fresh)


def plan(known: Known, manners: Manners, quiet: Quiet, now_ms: int) -> Plan:
    """Say what a channel is posted now, if anything, and when to look again.

    What happened, or was posted, in what is now the future (the wall clock was set back) counts as long ago.
    """
    found = sorted_out(known, manners, quiet, now_ms)
    due = {talk.group: _due_ms(talk, manners, now_ms) for talk in found.talks}
    free_ms = _free_ms(known, manners, now_ms)
    ripe = [talk for talk in found.talks if due[talk.group] <= now_ms]
    near = [talk for talk in found.talks if due[talk.group] > now_ms and _is_near(talk, manners, now_ms)]
    escalations, next_escalations = handed_on(found.talks, known, manners, quiet, now_ms)
    if ripe and free_ms <= now_ms:
        told = tuple(sorted([*ripe, *near], key=_pressing)[:MOST_GROUPS])
        kind: PostKind = "digest" if len(told) > 1 else "reminder" if told[0].left_alone else "news"
        rest = sum(talk not in told for talk in ripe)
        return Plan(kind, told, found.let_go, escalations, now_ms, rest)
    looks: list[float] = [now_ms + LOOK_MS, *found.looks, *next_escalations]
    looks += [max(at, free_ms) for at in due.values()]
    return Plan(None, (), found.let_go, escalations, max(now_ms + 1, int(min(looks))))


def _pressing(talk: Talk) -> tuple[bool, bool]:
    """Return a key that sorts groups: what goes on is first, and of that what is of high severity."""
    goes_on = bool(talk.open) or any(one.what == "begins" for one in talk.fresh[-1:])
    return not goes_on, not any(one.high for one in (*talk.fresh, *talk.open))


def _due_ms(talk: Talk, manners: Manners, now_ms: int) -> float:
    """Return when a group's next message is due (Unix ms), or infinity."""
    news = _ready_ms(talk, manners, now_ms)
    if talk.last_ms is not None:
        news = max(news, talk.last_ms + manners.wait_ms(max(1, talk.count)))
    told = [case for case in talk.open if case not in talk.fresh]
    if not told:
        return news
    since = told[0].at_ms if talk.last_ms is None else talk.last_ms
    return min(news, since + 1000 * manners.remind_after if since <= now_ms else now_ms)


def _ready_ms(talk: Talk, manners: Manners, now_ms: int) -> float:
    """Return from when on a group's news could be told, whatever was told before."""
    first = round(1000 * manners.first_after)
    begun = [notice for notice in talk.fresh if notice.what in {"fired", "begins"}]
    if not talk.fresh or (not begun and talk.unended):
        return float("inf")  # that some of them ended is told when all did
    over = not talk.of_alerts and talk.fresh[-1].what == "over" and begun
    if over:  # it came and went: told later, with what else comes and goes
        first = max(first, round(1000 * manners.again_after))
    return min((one.at_ms if one.at_ms <= now_ms else now_ms - first) for one in begun or talk.fresh) + first


def _is_near(talk: Talk, manners: Manners, now_ms: int) -> bool:
    """Tell whether a group's news, due soon, can as well be sent now with others: one message is less than two."""
    ready = _ready_ms(talk, manners, now_ms)
    if talk.last_ms is None:
        return ready <= now_ms + round(1000 * manners.first_after)
    rest = round(1000 * manners.again_after)
    due = talk.last_ms + manners.wait_ms(max(1, talk.count))
    return ready <= now_ms and talk.last_ms + rest <= now_ms and due <= now_ms + rest


def _free_ms(known: Known, manners: Manners, now_ms: int) -> int:
    """Return from when on the hour has room for a post. Its last one is kept for what gathers for some minutes."""
    recent = sorted(post.at_ms for post in known.sent(now_ms) if post.at_ms > now_ms - HOUR_MS)
    room = manners.most_an_hour - len(recent)
    if room <= 0:
        return recent[-manners.most_an_hour] + HOUR_MS
    return recent[-1] + round(1000 * manners.again_after) if recent and room == 1 else now_ms
