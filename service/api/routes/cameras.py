"""``GET /v1/cameras``: how the watched cameras do."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path

from service.api import describe, examples
from service.api.problems import Code, Problem
from service.api.routes.alerts import AtDesk
from service.api.watched import CameraSchema, CamerasSchema

_CODES: Final[tuple[Code, ...]] = (
    *describe.GUARDED,
    "PARAMETER_INVALID",
    "NOT_WATCHING",
    "METHOD_NOT_ALLOWED",
    "INTERNAL",
)

router = APIRouter()


@router.get(
    "/v1/cameras",
    operation_id="cameras",
    summary="Tell how the cameras do",
    response_model=CamerasSchema,
    responses={
        200: examples.answer({"cameras": [examples.CAMERA]}),
        **describe.problems(*_CODES),
    },
)
def cameras(desk: AtDesk) -> CamerasSchema:
    """List the cameras of the site file, in its order."""
    reports = desk.health.reports()
    return CamerasSchema(
        cameras=[CameraSchema.of(report, desk.origin(report.camera).camera.name) for report in reports]
    )


@router.get(
    "/v1/cameras/{camera}",
    operation_id="camera",
    summary="Tell how one camera does",
    response_model=CameraSchema,
    responses={
        200: examples.answer(examples.CAMERA),
        **describe.problems("CAMERA_NOT_FOUND", *_CODES),
    },
)
def camera(
    camera: Annotated[str, Path(description="The camera's id.", examples=["north"])], desk: AtDesk
) -> CameraSchema:
    """Tell how one camera does."""
    for report in desk.health.reports():
        if report.camera == camera:
            return CameraSchema.of(report, desk.origin(camera).camera.name)
    raise Problem("CAMERA_NOT_FOUND", f"The site has no camera {camera[:100]}; GET /v1/cameras lists them.")
