"""What people are posted, in words: a plan becomes a title and a text in their language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from service.delivery.catalogue import Catalogue
from service.delivery.grouping import Plan
from service.delivery.notice import Notice
from service.delivery.talk import Talk
from service.safety.site import WHOLE_PICTURE

MOST_PICTURES: Final = 3


@dataclass(frozen=True, slots=True)
class Wording:
    """Puts plans into words.

    Attributes:
        escalated_after: minutes, for people who are told what others did not take up; None for all others.
        public_url: where alerts are linked to; "" links nothing.
    """

    texts: Catalogue
    time_zone: str
    site: str
    public_url: str = ""
    escalated_after: int | None = None

    def letter(self, plan: Plan, now_ms: int) -> tuple[str, str]:
        """Return a post's title and text."""
        talks = sorted(plan.talks, key=lambda talk: (not talk.of_alerts, talk.group))
        if len(talks) == 1:
            title, lines = self._single(talks[0], now_ms)
        else:
            title = self.texts.say("digest.title", len(talks) + plan.rest)
            lines = [f"• {self._line(talk, now_ms)}" for talk in talks]
            if plan.rest:
                lines.append(self.texts.say("digest.rest", plan.rest))
        if self.escalated_after is not None and any(talk.of_alerts for talk in talks):
            lines.insert(0, self.texts.say("escalated", minutes=self.escalated_after))
        return f"{self.site}: {title}", "\n".join([*lines, "", self.texts.say("aid")])

    def test(self) -> tuple[str, str]:
        """Return the title and text of a message that tries a channel out."""
        return f"{self.site}: {self.texts.say('test.title')}", self.texts.say("test", site=self.site)

    def _single(self, talk: Talk, now_ms: int) -> tuple[str, list[str]]:
        if not talk.of_alerts:
            return self._condition(talk), [_sentence(self._lasting(talk, now_ms)), *self._mending(talk)]
        title, lines = self._place(talk), [_sentence(self._counted(talk, now_ms))]
        if self.escalated_after is not None and not talk.left_alone:
            title = self.texts.say("escalated.title", title=title)
        elif talk.left_alone:
            title = self.texts.say("reminder.title", title=title)
            lines.append(self.texts.say("reminder.mend"))
        elif not _fired(talk):
            title = self.texts.say("clear.title", title=title)
            lines.append(self.texts.say("clear"))
        if self.public_url:
            lines += [self.texts.say("link", url=self._link(alert)) for alert in pictured(talk)[:1]]
        return title, lines

    def _line(self, talk: Talk, now_ms: int) -> str:
        if talk.of_alerts:
            return f"{self._place(talk)} – {self._counted(talk, now_ms)}"
        return f"{self._condition(talk)} – {self._lasting(talk, now_ms)}"

    def _place(self, talk: Talk) -> str:
        one = _any(talk)
        key = "whole_picture" if talk.group[1] == WHOLE_PICTURE else "place"
        place = self.texts.say(key, zone=one.zone, camera=one.camera)
        return self.texts.say("title", lacking=self.texts.say(f"lacking.{talk.group[2]}"), place=place)

    def _counted(self, talk: Talk, now_ms: int) -> str:
        """Say how many alerts there are, since when, and how many are open."""
        fired = _fired(talk)
        if talk.left_alone:
            oldest = min(case.since_ms for case in talk.open)
            return self.texts.say("reminder", len(talk.open), since=self._time(oldest, now_ms))
        if not fired:
            return self.texts.say("ended", len(talk.fresh))
        since = self._time(min(notice.since_ms for notice in fired), now_ms)
        count = self.texts.say("more" if talk.count else "alerts", len(fired), since=since)
        still = self.texts.say("open", len(talk.open)) if talk.open else self.texts.say("none_open")
        return f"{count}, {still}"

    def _condition(self, talk: Talk) -> str:
        """Say what is the matter with a camera; of what came and went, what it was."""
        if not _went(talk):
            return self._named(talk, talk.fresh[-1].what)
        title = self._named(talk, "begins")
        return self.texts.say("on_and_off", title=title) if len(_begun(talk)) > 1 else title

    def _named(self, talk: Talk, what: str) -> str:
        last = talk.fresh[-1]
        equipment = self.texts.say(f"equipment.{last.detail}") if _kind(talk) != talk.group[2] else ""
        return self.texts.say(f"{_kind(talk)}.{what}", camera=last.camera, equipment=equipment)

    def _lasting(self, talk: Talk, now_ms: int) -> str:
        if not _went(talk):
            return self.texts.say("since", since=self._time(talk.fresh[-1].since_ms, now_ms))
        begun = _begun(talk)
        times = self.texts.say("times", len(begun), since=self._time(begun[0].since_ms, now_ms))
        return f"{times}; {self._named(talk, 'over')}" if talk.fresh[-1].what == "over" else times

    def _mending(self, talk: Talk) -> list[str]:
        last = talk.fresh[-1]
        if last.what == "over":
            return []
        code = [self.texts.say("why", code=last.detail)] if _kind(talk) == talk.group[2] and last.detail else []
        return [self.texts.say(f"{_kind(talk)}.mend"), *code]

    def _link(self, alert: str) -> str:
        return f"{self.public_url.rstrip('/')}/v1/alerts/{alert}"

    def _time(self, at_ms: int, now_ms: int) -> str:
        zone = ZoneInfo(self.time_zone)
        at, now = (datetime.fromtimestamp(one / 1000, UTC).astimezone(zone) for one in (at_ms, now_ms))
        return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def pictured(talk: Talk) -> list[str]:
    """Return the alerts of a group whose pictures are shown: fresh ones, or those that are open; the newest first."""
    shown = _fired(talk) or list(talk.open)
    return [notice.alert for notice in reversed(shown)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _fired(talk: Talk) -> list[Notice]:
    return [notice for notice in talk.fresh if notice.what == "fired"]


def _begun(talk: Talk) -> list[Notice]:
    return [notice for notice in talk.fresh if notice.what == "begins"]


def _went(talk: Talk) -> bool:
    """Tell whether a camera's trouble came and went since people were told."""
    return len(_begun(talk)) > 1 or (bool(_begun(talk)) and talk.fresh[-1].what == "over")


def _any(talk: Talk) -> Notice:
    return (talk.fresh or talk.open)[-1]


def _kind(talk: Talk) -> str:
    """Return what a trouble is called in the catalogue: offline, frozen ..., or why nothing can be judged."""
    return talk.group[2].split(":")[1] if ":" in talk.group[2] else talk.group[2]
