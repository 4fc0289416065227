"""A channel of people without a store: alerts happen, time is moved, and what was posted is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from service.delivery.grouping import Plan, plan
from service.delivery.notice import Notice
from service.delivery.talk import Known, Manners, Quiet
from service.ports import PostMade, Standing
from service.safety.site import Severity

START_MS = 1_772_456_587_000
YARD = ("north", "yard", "helmet")


def at(seconds: float) -> int:
    return START_MS + round(1000 * seconds)


def fired(name: str, seconds: float = 0, group: tuple[str, str, str] = YARD, severity: Severity = "high") -> Notice:
    return Notice(name, "fired", group, at(seconds), at(seconds - 2), "North", "Yard", f"alert-{name}", severity)


def told_of_camera(name: str, seconds: float, *, begins: bool = True, condition: str = "offline") -> Notice:
    group = ("north", "", condition)
    return Notice(name, "begins" if begins else "over", group, at(seconds), at(seconds), "North")


@dataclass
class Channel:
    """Plans as an announcer does, and keeps what was posted with its time."""

    manners: Manners = field(default_factory=Manners)
    quiet: Quiet = field(default=lambda _: False)
    fresh: list[Notice] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    made: list[PostMade] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    plans: list[tuple[int, Plan]] = field(default_factory=list)
    let_go: set[str] = field(default_factory=set)
    unsaid: set[str] = field(default_factory=set)
    escalated: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    coming: list[Notice] = field(default_factory=list)
    now_ms: int = START_MS

    def happen(self, notice: Notice, *, open: bool = True) -> None:  # noqa: A002 - it reads as what it is
        """Have something happen at its time."""
        self.coming.append(notice)
        if notice.what == "fired":
            self.standings[notice.alert] = Standing(open=open)

    def say(self, notice: Notice, **what: object) -> None:
        self.standings[notice.alert] = replace(self.standings[notice.alert], **what)  # type: ignore[arg-type]

    def until(self, seconds: float) -> None:
        """Look as often as plans ask for it, and at whatever happens."""
        end = at(seconds)
        while True:
            self.fresh += [one for one in self.coming if one.at_ms <= self.now_ms]
            self.coming = [one for one in self.coming if one.at_ms > self.now_ms]
            look = min([self.step(), *(one.at_ms for one in self.coming)])
            if look > end:
                self.now_ms = end
                return
            self.now_ms = look

    def step(self) -> int:
        since_ms = self.now_ms - self.manners.look_back_ms
        told = [one for one in self.told if one.at_ms >= since_ms or self.standings[one.alert].open]
        standings, unsaid = self.standings, frozenset(self.unsaid)
        known = Known(tuple(self.fresh), tuple(told), tuple(self.made), standings, since_ms, unsaid)
        found = plan(known, self.manners, self.quiet, self.now_ms)
        for one in found.escalations:
            self.made.append(PostMade(one.at_ms, "escalation", (one.group,)))
            self.escalated.append((self.now_ms, one.messages))
        self.let_go |= found.let_go
        self.unsaid |= {one.alert for one in self.fresh if one.what == "fired" and one.id in found.let_go}
        self.fresh = [one for one in self.fresh if one.id not in found.let_go | found.tells]
        if found.kind is None:
            return found.look_ms
        self.told += [one for talk in found.talks for one in talk.fresh if one.what == "fired"]
        self.made.append(PostMade(self.now_ms, found.kind, tuple(talk.group for talk in found.talks)))
        self.plans.append((self.now_ms, found))
        return self.now_ms

    def posts(self) -> list[tuple[float, str]]:
        """When (seconds) and what was posted."""
        return [((when - START_MS) / 1000, one.kind or "") for when, one in self.plans]

    def mentioned(self) -> set[str]:
        return {name for _, one in self.plans for name in one.tells}
