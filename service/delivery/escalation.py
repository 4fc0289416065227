"""When others are told of what nobody took up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from service.delivery.notice import Notice
from service.delivery.talk import Known, Manners, Quiet, Talk
from service.ports import Group

_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Escalation:
    """Others are to be told of a group.

    Attributes:
        messages: the ids of the messages that say so.
        at_ms: when it is noted to have been done (Unix ms).
    """

    group: Group
    messages: tuple[str, ...]
    at_ms: int


def handed_on(
    talks: Iterable[Talk], known: Known, manners: Manners, quiet: Quiet, now_ms: int
) -> tuple[tuple[Escalation, ...], tuple[int, ...]]:
    """Return what others are to be told now, and when that may be so of more (Unix ms)."""
    if manners.escalate_after is None:
        return (), ()
    unattended = [(talk, alone) for talk in talks if (alone := _unattended(talk, known, manners, now_ms))]
    woken_ms = _woken_ms(manners, quiet, now_ms) if unattended else 0
    found, looks = [], []
    for talk, alone in unattended:
        if _escalated(talk, alone[0], known, manners, now_ms):
            continue
        at_ms = _begun_ms(alone, known, woken_ms, now_ms) + manners.unattended_ms
        if at_ms > now_ms:
            looks.append(at_ms)
        else:
            pressing = tuple(case.id for case in alone if case in talk.open)
            found.append(Escalation(talk.group, pressing, max(now_ms, alone[0].at_ms)))
    return tuple(found), tuple(looks)


def _unattended(talk: Talk, known: Known, manners: Manners, now_ms: int) -> list[Notice]:
    """Return the newest alerts of a group that nobody took up, if one of them is open.

    Each but the first began while the one before was open or soon after: visitors who come one by one are one matter.
    """
    if not talk.open:
        return []
    run: list[Notice] = []
    for case in reversed(talk.cases):
        standing = known.standing(case)
        if standing.acknowledged or standing.false_alarm:
            break
        if run and not standing.open and not _is_soon(case, run[0], manners, now_ms):
            break
        run.insert(0, case)
    return run if any(case in talk.open for case in run) else []


def _is_soon(case: Notice, after: Notice, manners: Manners, now_ms: int) -> bool:
    """Tell whether one alert came soon after another; what lies ahead was long ago: the wall clock was set back."""
    set_back = after.at_ms <= now_ms < case.at_ms
    return not set_back and after.at_ms - case.at_ms <= 1000 * (manners.escalate_after or 0)


def _begun_ms(alone: Sequence[Notice], known: Known, woken_ms: int, now_ms: int) -> int:
    """Return since when somebody could have taken alerts up: they were not quiet any more, and not put off."""
    first = alone[0]
    put_off = [until for case in alone if (until := known.standing(case).snoozed_until_ms) and until <= now_ms]
    return max(first.at_ms if first.at_ms <= now_ms else 0, 0 if first.high else woken_ms, *put_off, 0)


def _woken_ms(manners: Manners, quiet: Quiet, now_ms: int) -> int:
    """Return when quiet hours ended last, or 0: they did so long ago that it changes nothing."""
    minute = now_ms // _MINUTE * _MINUTE
    for at_ms in range(minute, now_ms - manners.unattended_ms - _MINUTE, -_MINUTE):
        if quiet(at_ms):
            return at_ms + _MINUTE
    return 0


def _escalated(talk: Talk, first: Notice, known: Known, manners: Manners, now_ms: int) -> bool:
    """Tell whether others were told already, since the first alert that nobody took up."""
    of_it = [post for post in known.posts if talk.group in post.groups]
    if first.at_ms <= now_ms:
        of_it = [post for post in of_it if post.at_ms <= now_ms]  # the others were made before the clock was set back
    done = [post.at_ms for post in of_it if post.kind == "escalation"]
    if not done or max(done) >= first.at_ms:
        return bool(done)
    if first in talk.fresh or first.at_ms > known.since_ms + manners.unattended_ms:
        return False
    # what came before it is not looked back at any more: it is one matter if its messages went on without a pause
    times = sorted({max(done), *(post.at_ms for post in of_it if max(done) < post.at_ms < first.at_ms), first.at_ms})
    return all(later - earlier <= manners.episode_ms for earlier, later in pairwise(times))
