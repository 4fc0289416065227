"""An announcer: tells one channel of people what they are to be told, as `grouping` plans it.

It keeps nothing by itself: what is fresh, what was posted and how alerts stand is read from the store at each look, and
a post is committed as soon as it was taken. While the store does not take that, nothing else is posted. A stop between
the two, or an answer that gets lost, posts it once more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from service.delivery.grouping import Plan, plan
from service.delivery.notice import Notice, notice_of
from service.delivery.schedule import LONGEST, next_ms
from service.delivery.talk import Known, Manners, Quiet
from service.delivery.wording import MOST_PICTURES, Wording, pictured
from service.ports import Attempt, Clock, Letter, Notices, Poster, PostMade

POSTS_MS: Final = 86_400_000
"""Posts that are looked back at, at least."""
MOST: Final = 2000
"""Notices that are taken at once."""
SOON: Final = 5.0
"""Seconds until the next look after the store failed, and where others file notices, or speak, as well."""
PLAIN_EVERY: Final = 3
"""Each so many failed attempts one is made without pictures: with them it may take longer than there is time."""

log = structlog.get_logger("people")


@dataclass(frozen=True, slots=True)
class Channel:
    """One address of people, and how it is spoken to.

    Attributes:
        escalates_to: the channels that are told what nobody takes up here.
        picture: an alert's annotated still as JPEG, or None; None sends no pictures.
    """

    name: str
    manners: Manners
    wording: Wording
    quiet: Quiet
    escalates_to: Sequence[str] = ()
    picture: Callable[[str], bytes | None] | None = None


class Announcer:
    """Tells one channel. `run` it in a thread, or call `step` for one look; not both at once."""

    def __init__(self, channel: Channel, notices: Notices, poster: Poster, clock: Clock) -> None:
        self._channel = channel
        self._notices = notices
        self._poster = poster
        self._clock = clock
        self._attempts = 0
        self._again_ms = 0
        self._failed_ms = 0
        self._taken: tuple[PostMade, Collection[str]] | None = None
        self._woken = threading.Event()

    def wake(self) -> None:
        """Say that there is something new. Safe from every thread; returns at once."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Tell until `stop` is set; who sets it wakes this as well."""
        while not stop.is_set():
            self._woken.clear()
            try:
                wait = self.step()
            except Exception as error:  # noqa: BLE001 - whatever the store raises, people must be told when it works again
                log.error("people could not be told", channel=self._channel.name, fault=type(error).__name__)
                wait = SOON
            if not stop.is_set():
                self._woken.wait(wait)

    def step(self) -> float:
        """Post what is due, at most one letter, and return for how many seconds nothing else will be."""
        self._settle()
        if not self._notices.speaks(self._channel.name):
            return SOON
        wait = self._look(self._clock.now().wall_ms)
        return min(wait, SOON) if self._notices.shared else wait

    def _settle(self) -> None:
        """Keep what was posted, if it is not yet kept: whoever planned without it would post it again."""
        if self._taken is not None:
            made, tells = self._taken
            self._notices.settle(self._channel.name, made, tells)
            self._taken = None

    def _look(self, now_ms: int) -> float:
        fresh = self._notices.fresh(self._channel.name, MOST)
        read = [(message, notice_of(message)) for message in fresh]
        if erased := [message.id for message, notice in read if notice is None]:
            self._notices.settle(self._channel.name, None, (), erased)
        known = self._known([notice for _, notice in read if notice], now_ms)
        planned = plan(known, self._channel.manners, self._channel.quiet, now_ms)
        self._escalate(planned)
        if planned.let_go:
            self._notices.settle(self._channel.name, None, (), planned.let_go)
        if planned.kind is None:
            return (planned.look_ms - now_ms) / 1000
        if self._failed_ms <= now_ms < self._again_ms:
            return (self._again_ms - now_ms) / 1000
        return self._tell(planned, now_ms)

    def _known(self, fresh: Sequence[Notice], now_ms: int) -> Known:
        name, back_ms = self._channel.name, self._channel.manners.look_back_ms
        since_ms = now_ms - back_ms
        told = self._notices.told(name, since_ms, MOST)
        if len(told) == MOST:  # older ones are not known
            since_ms = max(since_ms, told[0].created_ms)
        cases = [notice for message in told if (notice := notice_of(message))]
        ended = {notice.alert for notice in fresh if notice.what == "resolved"}
        return Known(
            fresh=tuple(fresh),
            told=tuple(cases),
            posts=tuple(self._notices.posts(name, now_ms - max(POSTS_MS, back_ms))),
            standings=self._notices.standings({notice.alert for notice in (*fresh, *cases) if notice.alert}),
            since_ms=since_ms,
            unsaid=self._notices.unsaid(name, ended),
        )

    def _escalate(self, planned: Plan) -> None:
        for one in planned.escalations:
            done = PostMade(one.at_ms, "escalation", (one.group,))
            self._notices.escalate(self._channel.name, done, self._channel.escalates_to, one.messages)

    def _tell(self, planned: Plan, now_ms: int) -> float:
        attempt = self._poster.post(self._letter(planned, now_ms))
        at_ms = self._clock.now().wall_ms
        if not (attempt.done and planned.kind):
            return self._put_off(attempt, at_ms)
        self._taken = PostMade(at_ms, planned.kind, tuple(talk.group for talk in planned.talks)), planned.tells
        self._attempts = self._again_ms = 0
        log.debug("people were told", channel=self._channel.name, kind=planned.kind, messages=len(planned.tells))
        self._settle()
        return 0.0

    def _put_off(self, attempt: Attempt, at_ms: int) -> float:
        """Try again by the outbox's schedule; what becomes due meanwhile stands in the same letter."""
        self._attempts += 1
        again = next_ms(self._channel.name, self._attempts, at_ms) or at_ms + round(1000 * LONGEST)
        self._failed_ms, self._again_ms = at_ms, again
        log.warning(
            "people were not told",
            channel=self._channel.name,
            attempt=self._attempts,
            why=attempt.why,
            again_in_ms=again - at_ms,
        )
        return (again - at_ms) / 1000

    def _letter(self, planned: Plan, now_ms: int) -> Letter:
        title, body = self._channel.wording.letter(planned, now_ms)
        urgent = any(talk.open or any(one.what == "begins" for one in talk.fresh) for talk in planned.talks)
        pictures: list[tuple[str, bytes]] = []
        with suppress(Exception):  # whatever goes wrong with them never costs the letter
            pictures = self._pictures(planned)
        return Letter(title, body, tuple(pictures), urgent)

    def _pictures(self, planned: Plan) -> list[tuple[str, bytes]]:
        """Return the newest pictures: of one group up to three, of several one each of the first three."""
        if self._channel.picture is None or self._attempts % PLAIN_EVERY == PLAIN_EVERY - 1:
            return []
        found: list[tuple[str, bytes]] = []
        for alert in _shown(planned):
            with suppress(Exception):  # one that can't be read costs no other
                if jpeg := self._channel.picture(alert):
                    found.append((f"{alert}.jpg", jpeg))
            if len(found) == MOST_PICTURES:
                break
        return found


def _shown(planned: Plan) -> list[str]:
    """Return the alerts whose pictures are wanted, first ones first; a group that only has ends to tell has none."""
    about = [alerts for talk in planned.talks if talk.of_alerts and (alerts := pictured(talk))]
    return about[0] if len(about) == 1 else [alerts[0] for alerts in about]
