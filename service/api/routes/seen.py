"""What a camera was seen to see: its recorded detections, how large people are on it. No pictures, no names."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Annotated, Final, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe, examples
from service.api.desk import Desk
from service.api.routes.alerts import AtDesk
from service.api.routes.cameras import Camera, no_such_camera
from service.api.schemas import Schema
from service.inquiry import Span
from service.ports import Detector
from service.recording import Heading, continued, write_frame, write_heading
from service.safety.equipment import Equipment

_AT_ONCE: Final = 64
"""Frames that are sent together."""

HEIGHTS: Final = {
    "camera": "north",
    "tiles": 1,
    "width": 1920,
    "height": 1080,
    "scale": 0.3333,
    "needed_px": {"helmet": 100.0, "vest": 100.0},
    "person_seconds": 5341.2,
    "heights": [{"from_px": 80, "seen": 9120}, {"from_px": 90, "seen": 14210}, {"from_px": 100, "seen": 3120}],
}

router = APIRouter(tags=["Cameras"])


class HeightSchema(Schema):
    """How often people of one height were seen."""

    from_px: int = Field(description="Lower edge of the bin, which is 10 pixels wide.")
    seen: int = Field(description="People on judged frames: one who is seen on ten frames counts ten times.")


class HeightsSchema(Schema):
    """How large people are, as the model sees them, and how large they must be."""

    camera: str
    tiles: int = Field(description="Tiles across in which its pictures are looked at besides the whole; 1 is off.")
    width: int | None = Field(description="Of its last judged picture, in pixels; null before one.")
    height: int | None
    scale: float | None = Field(description="Pixels of the whole picture as the model sees it for one of the picture.")
    needed_px: dict[Equipment, float] = Field(description="Smallest height from which each equipment can be judged.")
    person_seconds: float = Field(description="How long people were seen, of whom something is asked.")
    heights: list[HeightSchema] = Field(description="Of the hours that were asked for, smallest first.")


class HeightsQuery(BaseModel):
    """Which hours are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: int = Field(default=24, ge=1, le=24 * 92, description="The last hours.")


@router.get(
    "/v1/cameras/{camera}/recording",
    operation_id="get_recording",
    summary="Give what was detected in the last 30 minutes",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One JSON line a frame, behind a heading with the scene that the camera is judged by: what "
            "`ppe replay` plays.",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        },
        **describe.problems("CAMERA_NOT_FOUND", *describe.WATCHING),
    },
)
def recording(camera: Camera, request: Request, desk: AtDesk) -> StreamingResponse:
    """Give a camera's recorded detections, oldest first: boxes, classes and confidences, no pictures."""
    _refuse_unknown(camera, desk)
    return StreamingResponse(recorded(heading_of(camera, request, desk), desk), media_type="application/x-ndjson")


def heading_of(camera: str, request: Request, desk: Desk) -> Heading:
    """Return the heading of a camera's recording."""
    model = cast(Detector, request.app.state.detector).model
    return Heading(camera, f"{model.name} {model.version}", model.thresholds, desk.origin(camera).scene)


def recorded(heading: Heading, desk: Desk) -> Iterator[str]:
    """Yield a camera's recording as text, some whole lines at a time."""
    text = io.StringIO()
    write_heading(text, heading)
    for number, (detections, at) in enumerate(continued(desk.records.recording(heading.camera)), start=1):
        write_frame(text, detections, at)
        if number % _AT_ONCE == 0:
            yield text.getvalue()
            text = io.StringIO()
    yield text.getvalue()


@router.get(
    "/v1/cameras/{camera}/heights",
    operation_id="get_heights",
    summary="Tell how large people are on a camera",
    responses={200: examples.answer(HEIGHTS), **describe.problems("CAMERA_NOT_FOUND", *describe.WATCHING)},
)
def heights(camera: Camera, query: Annotated[HeightsQuery, Query()], request: Request, desk: AtDesk) -> HeightsSchema:
    """Tell how large people were on a camera as the model saw them, and what the model needs."""
    _refuse_unknown(camera, desk)
    until = desk.clock.now().wall_ms + 1
    since = until - query.hours * 3_600_000
    seen, view = desk.records.heights(camera, since, until), desk.health.view(camera)
    entry = (desk.site.entry(camera) if desk.site else None) or {}
    shown = view.detections if view else None
    return HeightsSchema(
        camera=camera,
        tiles=int(entry.get("tiles", 1)),
        width=shown.width if shown else None,
        height=shown.height if shown else None,
        scale=shown.scale if shown else None,
        needed_px=dict(cast(Detector, request.app.state.detector).model.thresholds.minimum_height),
        person_seconds=max(
            (
                one.worn + one.missing + one.unknown
                for one in desk.records.compliance(Span(since, until, camera), ["equipment"])
            ),
            default=0.0,
        ),
        heights=[HeightSchema(from_px=low, seen=count) for low, count in sorted(seen.items())],
    )


def _refuse_unknown(camera: str, desk: Desk) -> None:
    if camera not in {report.camera for report in desk.health.reports()}:
        raise no_such_camera(camera)
