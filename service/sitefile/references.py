"""What names what: cameras and zones that filters name, and people who are told by others, have to be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from service.safety.site import WHOLE_PICTURE
from service.sitefile.broker import BROKER
from service.sitefile.filters import Filters
from service.sitefile.model import SiteFile

MOST_NAMED: Final = 20
"""Names that a mistake lists."""


def strangers(site: SiteFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what names something that is not there: the keys that lead to it, and a sentence with what there is."""
    named: list[tuple[tuple[str, ...], Filters]] = []
    named += [(("endpoints", name), entry) for name, entry in site.endpoints.items()]
    named += [(("people", name), entry) for name, entry in site.people.items()]
    named += [((BROKER,), site.mqtt)] if site.mqtt else []
    for keys, entry in named:
        for index, camera in enumerate(entry.cameras):
            if camera not in site.cameras:
                yield (*keys, "cameras", index), f"there is no camera {camera!r}, {_only(site.cameras)}"
        zones = _zones(site, entry)
        for index, zone in enumerate(entry.zones):
            if zone not in zones:
                of_them = " of its cameras" if entry.cameras else ""
                yield (*keys, "zones", index), f"there is no zone {zone!r}{of_them}, {_only(zones)}"
    if site.mqtt and BROKER in site.endpoints:
        yield ("endpoints", BROKER), "the MQTT broker is told under this name: call the endpoint something else"
    yield from _strange_escalations(site)


def _strange_escalations(site: SiteFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what tells nobody, or people who can't be told on: one step is all there is."""
    for name, entry in site.people.items():
        if entry.escalate_to is None:
            continue
        here = ("people", name, "escalate_to")
        if entry.escalate_to == name or entry.escalate_to not in site.people:
            yield (
                here,
                f"there are no other people {entry.escalate_to!r}, {_only(one for one in site.people if one != name)}",
            )
        elif site.people[entry.escalate_to].escalate_to is not None:
            yield here, "who is told by escalation escalates no further; take escalate_to out of one of them"
        elif site.people[entry.escalate_to].filtered:
            there = ("people", entry.escalate_to)
            yield there, f"who is told by escalation has no filters of their own: they are told what {name} is"


def _zones(site: SiteFile, endpoint: Filters) -> dict[str, None]:
    """Return the zones of the cameras that an endpoint is told of, in the file's order."""
    told_of = [entry for name, entry in site.cameras.items() if not endpoint.cameras or name in endpoint.cameras]
    return dict.fromkeys(zone for entry in told_of for zone in (entry.zones or (WHOLE_PICTURE,)))


def _only(there: Iterable[str]) -> str:
    """Say which names there are, the first of them."""
    names = list(there)
    shown = ", ".join(names[:MOST_NAMED])
    return f"only {shown}{' ...' if len(names) > MOST_NAMED else ''}" if names else "nor any other"
