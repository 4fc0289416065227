"""What a site file says and hardly means: it can be used as it stands, and somebody should look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import shapely

from service.safety.site import Zone
from service.sitefile.model import SiteFile


def advice(site: SiteFile) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what somebody should look at: the keys that lead there, and a sentence that says how to mend it.

    A schedule needs no look: every one that is taken holds at some time of every week.
    """
    for camera in site.cameras:
        zones = site.scene(camera).zones
        here = ("cameras", camera, "zones")
        asking = [zone for zone in zones if zone.require and not zone.exempt and not zone.ignore]
        hidden = [zone for zone in asking if _is_silenced(zone, zones)]
        if zones and len(hidden) == len(asking):
            why = "they ask for nothing, and nothing is asked outside of zones"
            mend = "add a zone with require: and the rest of the picture as its polygon"
            yield here, f"this camera judges nobody: {why}; {mend}, or leave zones out to judge the whole picture"
        else:
            for zone in hidden:
                yield (
                    (*here, zone.id),
                    "it asks for nothing: exempt and ignored zones cover all of it; move one",
                )


def _is_silenced(zone: Zone, zones: Sequence[Zone]) -> bool:
    """Tell whether zones that are ignored, or exempt at all times, cover a zone."""
    silent = [shapely.Polygon(one.polygon) for one in zones if one.ignore or (one.exempt and not one.schedule)]
    return bool(shapely.union_all(silent).buffer(1e-9).covers(shapely.Polygon(zone.polygon)))
