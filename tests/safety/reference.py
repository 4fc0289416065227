"""The alert rules again, slow and obvious: everything is read off the whole history at every frame."""

from __future__ import annotations

from dataclasses import dataclass

from service.safety.compliance import LONGEST_STEP
from service.safety.site import AlertPolicy


@dataclass(frozen=True)
class Seen:
    """One frame as one (person, zone, equipment) saw it; `standing` is None when the person was not there."""

    seconds: float
    standing: str | None
    since: float
    sightings: int
    confirmed: bool = True


def reference(history: list[Seen], policy: AlertPolicy) -> list[tuple[float, str]]:
    """Return (seconds, kind) of every change of one key's alert."""
    changes: list[tuple[float, str]] = []
    for now in range(len(history)):
        kind = _change(history[: now + 1], changes, policy)
        if kind:
            changes.append((history[now].seconds, kind))
    return changes


def _step(history: list[Seen], index: int) -> float:
    return min(LONGEST_STEP, history[index].seconds - history[index - 1].seconds) if index else 0.0


def _change(history: list[Seen], changes: list[tuple[float, str]], policy: AlertPolicy) -> str | None:
    now = len(history) - 1
    last = history[now]
    is_open = bool(changes) and changes[-1][1] in ("fired", "updated")
    if is_open:
        return _ending(history, changes[-1][0], policy)
    if last.standing != "violated" or not last.confirmed:
        return None
    if changes and changes[-1][1] == "lost_sight" and _still_the_same(history, changes[-1][0], policy):
        return "updated"
    begin = _pending_begin(history, changes[-1][0] if changes else float("-inf"), policy)
    paused = sum(
        _step(history, index) for index in range(begin + 1, now) if history[index].standing in (None, "unknown")
    )
    broken = any(  # the same violation was seen before the break: its clock starts anew where it reappeared
        seen.standing == "violated" and seen.since == last.since and seen.seconds > (changes[-1][0] if changes else -1)
        for seen in history[:begin]
    )
    asked = _asked_since(history, policy)
    start, before = last.since, 0
    if broken:
        start, before = history[begin].seconds, history[begin].sightings - 1
    elif asked > last.since:
        start, before = asked, history[begin].sightings - 1
    lasted = last.seconds - start - paused
    return "fired" if lasted + 1e-9 >= policy.on_delay and last.sightings - before >= policy.least_sightings else None


def _asked_since(history: list[Seen], policy: AlertPolicy) -> float:
    """Since when it is asked of this person without a longer absence than a pause."""
    first = last = history[-1].seconds
    for seen in reversed(history):
        if seen.standing is None:
            continue
        if last - seen.seconds > policy.pause + LONGEST_STEP:
            break
        first = last = seen.seconds
    return first


def _ending(history: list[Seen], opened: float, policy: AlertPolicy) -> str | None:
    frames = range(len(history))
    last = history[-1]
    violated = max(
        index for index in frames if history[index].standing == "violated" and history[index].seconds >= opened
    )
    met = [index for index in frames if index > violated and history[index].standing == "met"]
    if last.standing == "met":
        worn = sum(_step(history, index) for index in met[1:])
        return "resolved" if worn + 1e-9 >= policy.off_delay else None
    evidence = history[met[-1] if met else violated].seconds
    if last.standing != "violated" and last.seconds - evidence >= policy.lost_after:
        return "lost_sight"
    return None


def _still_the_same(history: list[Seen], closed: float, policy: AlertPolicy) -> bool:
    """Nothing worn was seen since it was closed, and it was never out of mind for longer than the policy allows."""
    evidence = max(seen.seconds for seen in history if seen.seconds <= closed and seen.standing in ("met", "violated"))
    between = [seen for seen in history[:-1] if seen.seconds > closed]
    return all(seen.standing != "met" for seen in between) and all(
        seen.seconds - evidence <= policy.reopen_within for seen in between
    )


def _pending_begin(history: list[Seen], after: float, policy: AlertPolicy) -> int:
    """The first violated frame of the run that ends now and that no long pause, worn or new beginning broke."""
    begin = len(history) - 1
    unknown = 0.0
    for index in range(len(history) - 2, -1, -1):
        seen = history[index]
        if seen.seconds <= after or seen.standing == "met":
            break
        if seen.standing == "violated":
            if seen.since != history[-1].since:
                break
            begin, unknown = index, 0.0
        else:
            unknown += _step(history, index)
            if unknown > policy.pause:
                break
    return begin
