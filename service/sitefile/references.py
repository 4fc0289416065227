"""What names what: cameras and zones that an endpoint's filters name have to be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from service.safety.site import WHOLE_PICTURE
from service.sitefile.filters import Filters
from service.sitefile.model import SiteFile

MOST_NAMED: Final = 20
"""Names that a mistake lists."""


def strangers(site: SiteFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what names something that is not there: the keys that lead to it, and a sentence with what there is."""
    for name, endpoint in site.endpoints.items():
        for index, camera in enumerate(endpoint.cameras):
            if camera not in site.cameras:
                yield ("endpoints", name, "cameras", index), f"there is no camera {camera!r}, {_only(site.cameras)}"
        zones = _zones(site, endpoint)
        for index, zone in enumerate(endpoint.zones):
            if zone not in zones:
                of_them = " of its cameras" if endpoint.cameras else ""
                yield ("endpoints", name, "zones", index), f"there is no zone {zone!r}{of_them}, {_only(zones)}"


def _zones(site: SiteFile, endpoint: Filters) -> dict[str, None]:
    """Return the zones of the cameras that an endpoint is told of, in the file's order."""
    told_of = [entry for name, entry in site.cameras.items() if not endpoint.cameras or name in endpoint.cameras]
    return dict.fromkeys(zone for entry in told_of for zone in (entry.zones or (WHOLE_PICTURE,)))


def _only(there: Iterable[str]) -> str:
    """Say which names there are, the first of them."""
    names = list(there)
    shown = ", ".join(names[:MOST_NAMED])
    return f"only {shown}{' ...' if len(names) > MOST_NAMED else ''}" if names else "nor any other"
