"""Where requests about watched cameras are answered: what they ask, by names that people know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from service.api.problems import Problem
from service.events import Origin
from service.inquiry import CameraHealth, Records
from service.ports import Clock


@dataclass(frozen=True, slots=True)
class Desk:
    """What the API is given by a service that watches.

    Attributes:
        records: what is kept of alerts and messages.
        health: how the cameras do.
        origin: names a camera and its zones; also of one that the site has no more.
        clock: the present.
    """

    records: Records
    health: CameraHealth
    origin: Callable[[str], Origin]
    clock: Clock


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
    said = [name for name, _ in request.query_params.multi_items()]
    if doubled := [name for name in dict.fromkeys(said) if said.count(name) > 1]:
        raise Problem("PARAMETER_INVALID", "; ".join(f"{name[:40]}: say it once" for name in doubled[:5]))
    return found
