"""Who is told as people are: entries of a site file become channels, announcers and posters."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from service.ports import Clock, Notices, Poster, Sender
from service.sitefile import PREFIX, PeopleEntry, SiteFile
from service.wiring.faults import WiringError

if TYPE_CHECKING:
    from service.delivery.announcer import Announcer, Channel
    from service.delivery.talk import Manners
    from service.delivery.wording import Wording

LAST_WORDS: Final = 4.0
"""Seconds that letters on their way get once the service is told to stop."""
_AT_ONCE: Final = 4
"""URLs that Apprise is asked about at the same time."""
Picture = Callable[[str, str], bytes | None]
"""Returns a still of an alert (its id, the kind of still) as JPEG, or None."""


@dataclass(frozen=True, slots=True)
class People:
    """Those who are told as people are.

    Attributes:
        senders: by the names that they have in the outbox.
    """

    senders: Mapping[str, Sender]
    announcers: tuple[Announcer, ...]
    posters: tuple[Poster, ...]

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell them while the context lasts; what is on its way when it ends gets some seconds."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=one.run, args=(stop,), name=f"announce-{number}", daemon=True)
            for number, one in enumerate(self.announcers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for one in self.announcers:
                one.wake()
            timer = threading.Timer(LAST_WORDS, self._hush)
            timer.start()
            for thread in threads:
                thread.join()
            timer.cancel()

    def _hush(self) -> None:
        for poster in self.posters:
            poster.close()


def people_of(
    site: SiteFile,
    notices: Notices,
    picture: Picture,
    clock: Clock,
    poster_of: Callable[[str], Poster] | None = None,
) -> People:
    """Return who tells the people of a site; nobody when it is only observed.

    Args:
        poster_of: returns what posts to an Apprise URL; by default Apprise.

    Raises:
        WiringError: a variable holds no address, or one that can't be used, or there are no texts in a language.
    """
    from service.delivery.announcer import Announcer
    from service.delivery.apprise_poster import ApprisePoster, urls_in
    from service.delivery.people import PeopleSender, channels_of

    urls = {name: urls_in(os.environ.get(entry.url_env, "")) for name, entry in site.listeners.items()}
    if without := [name for name, found in urls.items() if not found]:
        raise WiringError(f"people {without[0]}: {site.people[without[0]].url_env} holds no Apprise URL")
    if poster_of is None:
        _refuse_unusable(site, urls)
    channels = {name: channels_of(name, len(found)) for name, found in urls.items()}
    senders: dict[str, Sender] = {}
    announcers: list[Announcer] = []
    posters: list[Poster] = []
    for name, entry in site.listeners.items():
        told = []
        for number, (channel, url) in enumerate(zip(channels[name], urls[name], strict=True)):
            poster = (poster_of or ApprisePoster)(url)
            # one address escalates for all of them, or others would hear everything several times
            next_ones = channels[entry.escalate_to] if entry.escalate_to and not number else []
            told.append(Announcer(_channel(site, name, channel, next_ones, picture), notices, poster, clock))
            posters.append(poster)
        announcers += told
        if name not in site.last_resorts:
            senders[f"{PREFIX}{name}"] = PeopleSender(notices, channels[name], _waking(told))
    return People(senders, tuple(announcers), tuple(posters))


def _refuse_unusable(site: SiteFile, urls: Mapping[str, list[str]]) -> None:
    """Refuse URLs by which no letter can leave, as far as Apprise can tell; each of them takes it a second or two."""
    from service.delivery.apprise_poster import ApprisePoster

    named = [(name, url) for name, found in urls.items() for url in found]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        mistakes = list(pool.map(lambda one: ApprisePoster(one[1]).mistake(), named))
    for (name, _), mistake in zip(named, mistakes, strict=True):
        if mistake:
            raise WiringError(f"people {name}: {site.people[name].url_env}: {mistake}")


def _channel(site: SiteFile, name: str, channel: str, next_ones: list[str], picture: Picture) -> Channel:
    """Return how one address of some people is spoken to."""
    from service.delivery.announcer import Channel

    entry = site.people[name]
    return Channel(
        channel,
        manners_of(entry, last=name in site.last_resorts, escalates=bool(next_ones)),
        wording_of(site, name),
        quiet_of(entry, site.time_zone),
        next_ones,
        (lambda alert: picture(alert, "annotated")) if entry.pictures else None,
    )


def wording_of(site: SiteFile, name: str) -> Wording:
    """Return what puts messages to some people into words.

    Raises:
        WiringError: there are no texts in their language.
    """
    from service.delivery.catalogue import catalogue
    from service.delivery.wording import Wording

    try:
        texts = catalogue(site.people[name].language)
    except ValueError as error:
        raise WiringError(f"people {name}: {error}") from error
    return Wording(texts, site.time_zone, site.name, site.public_url, _minutes(site, name))


def manners_of(entry: PeopleEntry, *, last: bool, escalates: bool) -> Manners:
    """Return how people want to be told; who is told what nobody took up is told at once."""
    from service.delivery.talk import Manners

    return Manners(
        first_after=0.0 if last else entry.first_after,
        again_after=entry.again_after,
        remind_after=entry.remind_after,
        most_an_hour=entry.most_an_hour,
        resolved=entry.resolved,
        escalate_after=entry.escalate_after if escalates else None,
    )


def quiet_of(entry: PeopleEntry, time_zone: str) -> Callable[[int], bool]:
    """Return what tells of Unix ms whether they lie in quiet hours."""
    zone = ZoneInfo(time_zone)

    def quiet(at_ms: int) -> bool:
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        return any(shift.holds(local) for shift in entry.quiet)

    return quiet


def _minutes(site: SiteFile, name: str) -> int | None:
    """Return after how many minutes others hand on to some people, or None when nobody does."""
    found = [entry.escalate_after for entry in site.people.values() if entry.escalate_to == name]
    return max(1, round(min(found) / 60)) if found else None


def _waking(announcers: Iterable[Announcer]) -> Callable[[], None]:
    def wake() -> None:
        for one in announcers:
            one.wake()

    return wake
