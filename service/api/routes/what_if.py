"""``POST /v1/cameras/{camera}/what-if``: how the last 30 minutes would have been judged by another entry."""

from __future__ import annotations

from typing import cast

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request
from pydantic import Field

from service.api import describe, examples
from service.api.bodies import json_content
from service.api.problems import Problem
from service.api.routes.alerts import AtDesk
from service.api.routes.cameras import Camera, no_such_camera
from service.api.routes.seen import heading_of, recorded
from service.api.routes.site import BODY, ENTRY_BODY, MOST_BYTES, entry_of_body, refusal, upkeep_of
from service.api.schemas import Schema
from service.api.turns import Turns
from service.api.watched import Seconds
from service.api.what_if import NotCompared, answer, question
from service.events import Instant
from service.safety.alerts import Ending
from service.safety.comparison import black
from service.safety.equipment import Equipment
from service.safety.site import Severity
from service.upkeep import ChangeRefused

log = structlog.stdlib.get_logger("service.api")
router = APIRouter(tags=["Cameras"])

_ALERT = {
    "id": "3f0c9a52d17be846",
    "person": "7c1e90b2",
    "zone": "gate",
    "equipment": "vest",
    "severity": "medium",
    "since": "2026-03-02T12:41:07.120Z",
    "fired_at": "2026-03-02T12:41:09.320Z",
    "lasted_s": 41.2,
    "ending": "worn",
}
_SHARES = {
    "helmet": {"worn": 812.4, "missing": 0.0, "unknown": 31.0, "coverage": 0.9632},
    "vest": {"worn": 770.2, "missing": 43.4, "unknown": 29.8, "coverage": 0.9647},
}
EXAMPLE = {
    "frames": 8990,
    "from": "2026-03-02T12:33:07.120Z",
    "to": "2026-03-02T13:03:07.120Z",
    "before": {"person_seconds": _SHARES},
    "after": {"person_seconds": _SHARES},
    "both": [],
    "only_before": [_ALERT],
    "only_after": [],
    "was_black": [],
    "newly_black": 0,
}


class WornSchema(Schema):
    """How long one equipment was worn."""

    worn: Seconds
    missing: Seconds
    unknown: Seconds
    coverage: float | None = Field(description="Share that could be told; null when nobody was asked for it.")


class RunSchema(Schema):
    """What one scene makes of what was detected."""

    person_seconds: dict[Equipment, WornSchema]


class JudgedAlertSchema(Schema):
    """An alert that a scene raises."""

    id: str
    person: str
    zone: str = Field(description="The zone's id.")
    equipment: Equipment
    severity: Severity
    since: Instant
    fired_at: Instant
    lasted_s: float
    ending: Ending | None


class PairSchema(Schema):
    """One violation that both raise an alert for."""

    before: JudgedAlertSchema
    after: JudgedAlertSchema


class WhatIfSchema(Schema):
    """What was detected, judged as the site file says and as it would say."""

    frames: int = Field(description="How many were judged; of more than 9,000, the newest.")
    from_: Instant | None = Field(alias="from", description="The first of them; null when nothing was recorded.")
    to: Instant | None
    before: RunSchema
    after: RunSchema
    both: list[PairSchema]
    only_before: list[JudgedAlertSchema] = Field(description="Alerts that there would not have been.")
    only_after: list[JudgedAlertSchema] = Field(description="Alerts that there would have been besides.")
    was_black: list[str] = Field(description="Zones that were black and would not be: nobody was ever seen there.")
    newly_black: int = Field(description="Zones that would be black.")


@router.post(
    "/v1/cameras/{camera}/what-if",
    operation_id="compare_entry",
    summary="Tell how the last 30 minutes would have been judged by another entry",
    responses={
        200: examples.answer(EXAMPLE),
        **describe.problems(
            *BODY, "CAMERA_NOT_FOUND", "SITE_INVALID", "SITE_UNWRITABLE", "BUSY", "NOT_COMPARED", *describe.WATCHING
        ),
    },
    openapi_extra=ENTRY_BODY,
)
async def what_if(camera: Camera, request: Request, desk: AtDesk) -> WhatIfSchema:
    """Judge recorded detections by the camera's zones and policy and by those of an entry. It changes nothing.

    One is worked out at a time. The entry's source, `fps` and `tiles` make no difference: what was detected stays so.
    """
    wanted = entry_of_body(await json_content(request, MOST_BYTES))
    site = upkeep_of(desk)
    if site.entry(camera) is None:
        raise no_such_camera(camera)
    try:
        after = await anyio.to_thread.run_sync(site.scene, camera, wanted)
    except ChangeRefused as refused:
        raise refusal(refused) from refused
    async with cast(Turns, request.app.state.comparing).turn():
        heading = heading_of(camera, request, desk)
        asked = await anyio.to_thread.run_sync(lambda: question(recorded(heading, desk), after))
        try:
            found = await answer(asked, request.is_disconnected)
        except NotCompared as error:
            log.warning("what_if.failed", camera=camera, why=str(error))
            raise Problem("NOT_COMPARED", f"It could not be worked out: {error}.") from error
    opened, fresh = black(desk.origin(camera).scene, after)
    return WhatIfSchema.model_validate({**found, "was_black": opened, "newly_black": fresh})
