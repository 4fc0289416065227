"""``POST /v1/site/try``: a camera is tried before the site file names it. Nothing is changed, nothing is kept."""

from __future__ import annotations

import base64
import os
from typing import cast

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import Field

from service.api import describe, examples
from service.api.bodies import json_content
from service.api.gate import audit_of, caller_of
from service.api.problems import Problem
from service.api.routes.alerts import AtDesk
from service.api.routes.site import (
    BODY,
    ENTRY_BODY,
    MOST_BYTES,
    entry_of_body,
    refusal,
    refuse_new_variable,
    upkeep_of,
)
from service.api.schemas import Schema
from service.api.trial import Trial, tried
from service.api.turns import Turns
from service.cameras.address import redacted
from service.ports import CameraCode, Detector
from service.safety.equipment import Equipment
from service.sitefile import CameraEntry
from service.upkeep import ChangeRefused

EXAMPLE = {
    "works": True,
    "code": None,
    "detail": "",
    "after_s": 1.3,
    "width": 1920,
    "height": 1080,
    "frames_per_second": 14.9,
    "heights_px": [148.2, 96.0],
    "needed_px": {"helmet": 100.0, "vest": 100.0},
    "scale": 0.3333,
    "picture": "/9j/4AAQSkZJRg...",
}
_TRIED = "new"
router = APIRouter(tags=["Cameras"])


class TrialSchema(Schema):
    """How a camera was found."""

    works: bool = Field(description="Whether a picture came.")
    code: CameraCode | None = Field(description="Why none did; as in `GET /v1/cameras`.")
    detail: str = Field(description="The same in a sentence.")
    after_s: float | None = Field(description="Seconds until the first picture.")
    width: int | None = Field(description="Of its pictures, in pixels.")
    height: int | None
    frames_per_second: float | None = Field(description="That came; null where they can't be counted.")
    heights_px: list[float] = Field(
        description="How tall everybody on `picture` is as the model saw them, tallest first."
    )
    needed_px: dict[Equipment, float] = Field(description="Smallest height from which each equipment can be judged.")
    scale: float | None = Field(description="Pixels of the whole picture as the model sees it for one of the picture.")
    picture: str | None = Field(
        description="JPEG in base64: of those that were looked at, the one that shows most people, marked, no faces."
    )

    @classmethod
    def of(cls, found: Trial, needed: dict[Equipment, float]) -> TrialSchema:
        """Present a trial."""
        width, height = found.size or (None, None)
        return cls(
            works=found.picture is not None,
            code=found.code,
            detail=found.detail,
            after_s=found.after,
            width=width,
            height=height,
            frames_per_second=found.rate,
            heights_px=found.heights,
            needed_px=needed,
            scale=found.scale,
            picture=None if found.picture is None else base64.b64encode(found.picture).decode(),
        )


@router.post(
    "/v1/site/try",
    operation_id="try_camera",
    summary="Try a camera before it is watched",
    responses={
        200: examples.answer(EXAMPLE),
        **describe.problems(*BODY, "SITE_INVALID", "SITE_UNWRITABLE", "BUSY", *describe.WATCHING),
    },
    openapi_extra=ENTRY_BODY,
)
async def try_camera(request: Request, desk: AtDesk) -> TrialSchema:
    """Connect to the camera of an entry, look at its pictures for four seconds, and tell what was seen.

    A camera that does not work is no problem of the request: `works` is false and `code` says why. It takes up to 25
    seconds; two are tried at a time.
    """
    wanted = entry_of_body(await json_content(request, MOST_BYTES))
    where = redacted(str(wanted.get("source", "")))[:200]
    async with audit_of(request).doing(caller_of(request), "camera.try", where):
        refuse_new_variable(desk, _TRIED, wanted)
        try:
            await anyio.to_thread.run_sync(upkeep_of(desk).scene, _TRIED, wanted)
        except ChangeRefused as refused:
            raise refusal(refused) from refused
        entry = CameraEntry.model_validate(wanted)
        password = os.environ.get(entry.password_env, "") if entry.password_env else ""
        detector = cast(Detector, request.app.state.detector)
        async with cast(Turns, request.app.state.trying).turn():
            try:
                found = await anyio.to_thread.run_sync(tried, entry, password, desk.clock, detector)
            except TimeoutError as error:
                raise Problem("BUSY", "The detector has no time for it now: try again later.") from error
    return TrialSchema.of(found, dict(detector.model.thresholds.minimum_height))
