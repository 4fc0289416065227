"""``GET /v1/cameras/{camera}/zones``: what is asked of people where, for whoever draws it."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from service.api import describe, examples
from service.api.routes.alerts import AtDesk
from service.api.routes.cameras import Camera, no_such_camera
from service.api.schemas import Schema
from service.events import Origin
from service.safety.equipment import Equipment
from service.safety.site import Zone

_EXAMPLE: Final[dict[str, Any]] = {
    "zones": [
        {
            "id": "gate",
            "name": "Gate 2",
            "kind": "requires",
            "polygon": [[0.0, 0.4], [0.7, 0.4], [0.7, 1.0], [0.0, 1.0]],
            "require": ["helmet", "vest"],
            "active": True,
        }
    ]
}

router = APIRouter(tags=["Cameras"])


class ZoneSchema(Schema):
    """A part of a camera's picture."""

    id: str
    name: str
    kind: Literal["requires", "exempt", "ignored"] = Field(
        description="requires: equipment is asked for. exempt: people are followed, not judged. ignored: it is black."
    )
    polygon: list[tuple[float, float]] = Field(description="Corners relative to the picture, 0..1.")
    require: list[Equipment] = Field(description="What is asked for; empty unless the kind is `requires`.")
    active: bool = Field(description="Whether its schedule holds now; always true of a zone without one.")

    @classmethod
    def of(cls, zone: Zone, origin: Origin, now_ms: int) -> ZoneSchema:
        """Present a zone."""
        asks = not (zone.exempt or zone.ignore)
        return cls(
            id=zone.id,
            name=origin.zone(zone.id).name,
            kind="requires" if asks else "exempt" if zone.exempt else "ignored",
            polygon=list(zone.polygon),
            require=[one.equipment for one in zone.require] if asks else [],
            active=zone.active(origin.scene.local(now_ms)),
        )


class ZonesSchema(Schema):
    """The zones of a camera, in the order of the site file; none: everything is asked for in the whole picture."""

    zones: list[ZoneSchema]


@router.get(
    "/v1/cameras/{camera}/zones",
    operation_id="list_zones",
    summary="Tell which zones a camera has",
    response_model=ZonesSchema,
    responses={200: examples.answer(_EXAMPLE), **describe.problems("CAMERA_NOT_FOUND", *describe.WATCHING)},
)
def zones(camera: Camera, desk: AtDesk) -> ZonesSchema:
    """Tell where what is asked of people on a camera's picture."""
    if all(report.camera != camera for report in desk.health.reports()):
        raise no_such_camera(camera)
    origin, now_ms = desk.origin(camera), desk.clock.now().wall_ms
    return ZonesSchema(zones=[ZoneSchema.of(zone, origin, now_ms) for zone in origin.scene.zones])
