"""What a channel of people knows and does not know, sorted by what belongs together. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from service.delivery.notice import Notice
from service.ports import Group, PostMade, Standing

Quiet = Callable[[int], bool]
"""Tells of Unix ms whether they lie in quiet hours."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a channel wants to be told. Seconds, unless said otherwise.

    Attributes:
        first_after: from a group's first alert to its first message: alerts of the same moment stand in one.
        again_after: from a group's message to its next one; it doubles with each, up to `remind_after`.
        remind_after: from a group's message to the reminder that something is open and nobody took it up.
        most_an_hour: posts in any hour.
        resolved: says when a group has no open alerts any more.
        escalate_after: unattended for so long, alerts are told to others; None: never.
    """

    first_after: float = 10.0
    again_after: float = 300.0
    remind_after: float = 1800.0
    most_an_hour: int = 12
    resolved: bool = False
    escalate_after: float | None = None

    def wait_ms(self, count: int) -> int:
        """Return how long a group is left alone after the last of `count` messages in a row."""
        longest = max(self.again_after, self.remind_after)
        return round(1000 * min(self.again_after * 2.0 ** min(count - 1, 30), longest))

    @property
    def unattended_ms(self) -> int:
        """After how long others are told of an alert, when somebody could have taken it up."""
        return round(1000 * (self.first_after + (self.escalate_after or 0)))

    @property
    def look_back_ms(self) -> int:
        """How long it matters that there was an alert that ended: visitors who come one by one are one matter."""
        return max(2 * 3_600_000, 3 * self.unattended_ms)

    @property
    def episode_ms(self) -> int:
        """How long a group says nothing until its next message is a first one again."""
        return round(1500 * max(self.again_after, self.remind_after))


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to plan with.

    Attributes:
        fresh: what was not told yet, oldest first.
        told: alerts that were told and are open, or fired lately; oldest first.
        posts: what was posted in the last day, oldest first.
        standings: how the alerts of both stand.
        since_ms: from when on all that was told is known (Unix ms), and not only what is open.
        unsaid: alerts that were let go before they were told.
    """

    fresh: tuple[Notice, ...]
    told: tuple[Notice, ...] = ()
    posts: tuple[PostMade, ...] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    since_ms: int = 0
    unsaid: frozenset[str] = frozenset()

    def standing(self, notice: Notice) -> Standing:
        """Return how a notice's alert stands; one that is not kept any more has ended."""
        return self.standings.get(notice.alert, Standing())

    def sent(self, now_ms: int) -> Iterator[PostMade]:
        """Yield the posts that were sent; what lies ahead was sent before the wall clock was set back."""
        return (post for post in self.posts if post.kind != "escalation" and post.at_ms <= now_ms)


@dataclass(frozen=True, slots=True)
class Talk:
    """One group.

    Attributes:
        fresh: what can be told now, oldest first.
        open: alerts that are open and that nobody took up, put off or called false; told or fresh.
        cases: all alerts that are known, oldest first.
        unended: some alert is open, taken up or not.
        count, last_ms: messages of this episode, and when the last one was sent (Unix ms); None: there was none.
    """

    group: Group
    fresh: tuple[Notice, ...] = ()
    open: tuple[Notice, ...] = ()
    cases: tuple[Notice, ...] = ()
    unended: bool = False
    count: int = 0
    last_ms: int | None = None

    @property
    def of_alerts(self) -> bool:
        """Whether it is about people, not about a camera."""
        return bool(self.group[1])

    @property
    def left_alone(self) -> bool:
        """Whether nothing is fresh: a message about it would be a reminder."""
        return not self.fresh


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is known, by groups.

    Attributes:
        let_go: ids of what is not worth telling any more.
        looks: when something that is held may be told (Unix ms).
    """

    talks: tuple[Talk, ...]
    let_go: frozenset[str]
    looks: tuple[int, ...]


def sorted_out(known: Known, manners: Manners, quiet: Quiet, now_ms: int) -> Sorted:
    """Sort what is known by groups. In quiet hours only what is of high severity can be told."""
    hushed = quiet(now_ms)
    fresh: dict[Group, list[Notice]] = defaultdict(list)
    let_go, looks = set(), []
    unsaid = known.unsaid | {notice.alert for notice in known.fresh if notice.what == "fired"}
    for notice in known.fresh:
        standing = known.standing(notice)
        unheard = notice.what == "resolved" and notice.alert in unsaid  # nobody heard of it, so nobody of its end
        if unheard or _is_idle(notice, standing, manners, now_ms):
            let_go.add(notice.id)
        elif notice.what == "fired" and _snoozed(standing, now_ms):
            looks.append(standing.snoozed_until_ms or now_ms)
        elif not hushed or notice.high:
            fresh[notice.group].append(notice)
    cases: dict[Group, list[Notice]] = defaultdict(list)
    for case in known.told:
        cases[case.group].append(case)
    found = [
        _talk(group, fresh.get(group, []), cases.get(group, []), known, manners, hushed, now_ms)
        for group in dict.fromkeys([*fresh, *cases])
    ]
    return Sorted(tuple(found), frozenset(let_go), tuple(looks))


def _talk(
    group: Group,
    fresh: Sequence[Notice],
    told: Sequence[Notice],
    known: Known,
    manners: Manners,
    hushed: bool,
    now_ms: int,
) -> Talk:
    cases = (*told, *(notice for notice in fresh if notice.what == "fired"))
    count, last_ms = _episode(group, known, manners, now_ms)
    return Talk(
        group=group,
        fresh=tuple(fresh),
        open=tuple(case for case in cases if _is_pressing(known.standing(case), now_ms) and (not hushed or case.high)),
        cases=cases,
        unended=any(known.standing(case).open for case in cases),
        count=count,
        last_ms=last_ms,
    )


def _is_idle(notice: Notice, standing: Standing, manners: Manners, now_ms: int) -> bool:
    """Tell whether nobody need hear of a notice: a false alarm, or one that ended while it was put off."""
    if notice.what == "resolved":
        return not manners.resolved or standing.false_alarm
    if notice.what != "fired":
        return False
    put_off = standing.snoozed_until_ms is not None and not _snoozed(standing, now_ms)
    return standing.false_alarm or (put_off and not standing.open)


def _snoozed(standing: Standing, now_ms: int) -> bool:
    return standing.snoozed_until_ms is not None and standing.snoozed_until_ms > now_ms


def _is_pressing(standing: Standing, now_ms: int) -> bool:
    done_with = standing.acknowledged or standing.false_alarm
    return standing.open and not done_with and not _snoozed(standing, now_ms)


def _episode(group: Group, known: Known, manners: Manners, now_ms: int) -> tuple[int, int | None]:
    """Return how many messages a group had in a row, and when the last one was."""
    times = [post.at_ms for post in known.sent(now_ms) if group in post.groups]
    if not times:
        return 0, None
    if now_ms - times[-1] > manners.episode_ms:
        return 0, times[-1]
    count = 1
    for earlier, later in reversed(list(pairwise(times))):
        if later - earlier > manners.episode_ms:
            break
        count += 1
    return count, times[-1]
