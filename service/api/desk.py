"""Where requests about watched cameras are answered: what they ask, by names that people know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from fastapi import Request

from service.api.bell import Bell
from service.api.drawn import Drawings
from service.api.problems import Problem
from service.events import Origin
from service.health import CameraHealth
from service.inquiry import Records
from service.ports import Clock
from service.upkeep import SiteUpkeep


@dataclass(frozen=True, slots=True)
class Desk:
    """What the API is given by a service that watches.

    Attributes:
        records: what is kept of alerts and messages.
        health: how the cameras do.
        origin: names a camera and its zones; also of one that the site has no more.
        clock: the present.
        bell: rings when something was recorded.
        site: changes the site; None where it can't be changed.
        drawings: what was drawn of the cameras' pictures.
    """

    records: Records
    health: CameraHealth
    origin: Callable[[str], Origin]
    clock: Clock
    bell: Bell = field(default_factory=Bell)
    site: SiteUpkeep | None = None
    drawings: Drawings = field(default_factory=Drawings)


def desk(request: Request) -> Desk:
    """Return the application's desk.

    Raises:
        Problem: NOT_WATCHING, where no cameras are watched; PARAMETER_INVALID, where a parameter is said twice (the
            framework would take one of them).
    """
    found = cast("Desk | None", request.app.state.desk)
    if found is None:
        raise Problem(
            "NOT_WATCHING", "This service watches no cameras: start it as ppe serve --site site.yaml to have alerts."
        )
    said = Counter(name for name, _ in request.query_params.multi_items())
    if doubled := [name for name, times in said.items() if times > 1]:
        raise Problem("PARAMETER_INVALID", "; ".join(f"{name[:40]}: say it once" for name in doubled[:5]))
    return found
