"""``GET /v1/cameras``: how the watched cameras do."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from service.api import describe, examples
from service.api.desk import Desk
from service.api.problems import Code, Problem
from service.api.routes.alerts import AtDesk
from service.api.watched import CameraSchema, CamerasSchema
from service.health import CameraReport

_CODES: Final[tuple[Code, ...]] = (
    *describe.GUARDED,
    "PARAMETER_INVALID",
    "NOT_WATCHING",
    "METHOD_NOT_ALLOWED",
    "INTERNAL",
)

router = APIRouter(tags=["Cameras"])
Camera = Annotated[str, Path(description="The camera's id.", examples=["north"])]


@router.get(
    "/v1/cameras",
    operation_id="list_cameras",
    summary="Tell how the cameras do",
    response_model=CamerasSchema,
    responses={
        200: examples.answer({"cameras": [examples.CAMERA]}),
        **describe.problems(*_CODES),
    },
)
def cameras(desk: AtDesk) -> CamerasSchema:
    """List the cameras of the site file, in its order."""
    return CamerasSchema(cameras=[_shown(report, desk) for report in desk.health.reports()])


@router.get(
    "/v1/cameras/{camera}",
    operation_id="get_camera",
    summary="Tell how one camera does",
    response_model=CameraSchema,
    responses={
        200: examples.answer(examples.CAMERA),
        **describe.problems("CAMERA_NOT_FOUND", *_CODES),
    },
)
def camera(camera: Camera, desk: AtDesk) -> CameraSchema:
    """Tell how one camera does."""
    for report in desk.health.reports():
        if report.camera == camera:
            return _shown(report, desk)
    raise no_such_camera(camera)


def _shown(report: CameraReport, desk: Desk) -> CameraSchema:
    view = desk.health.view(report.camera)
    name = desk.origin(report.camera).camera.name
    return CameraSchema.of(report, name, None if view is None else len(view.unverified))


@router.get(
    "/v1/cameras/{camera}/picture",
    operation_id="get_camera_picture",
    summary="Give a camera's last judged picture, with everybody marked",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {"image/jpeg": {"schema": describe.BINARY}}},
        304: {"description": "It is the picture that `If-None-Match` names."},
        **describe.problems("CAMERA_NOT_FOUND", "NO_PICTURE", *_CODES),
    },
)
def camera_picture(
    camera: Camera,
    desk: AtDesk,
    width: Annotated[int, Query(ge=0, le=10_000, description="Scaled down to so many pixels; 0: as it is.")] = 0,
    known: Annotated[str | None, Header(alias="If-None-Match", description="Tag of what the client has.")] = None,
) -> Response:
    """Give the JPEG, drawn when it is asked for: black where zones ignore, without faces unless the site shows them.

    `frame_age_s` of the camera says how old it is.
    """
    view = desk.health.view(camera)
    if view is None:
        if all(report.camera != camera for report in desk.health.reports()):
            raise no_such_camera(camera)
        raise Problem(
            "NO_PICTURE",
            f"The camera {camera[:100]} has no judged picture yet: ask again, or see GET /v1/cameras/{camera[:100]}.",
        )
    drawn = desk.drawings.of(camera, view, width)
    headers = {"Cache-Control": "no-store", "ETag": drawn.tag}
    if known == drawn.tag:
        return Response(status_code=304, headers=headers)
    return Response(drawn.content, media_type="image/jpeg", headers=headers)


def no_such_camera(camera: str) -> Problem:
    """Return the problem of a camera that the site has not."""
    return Problem("CAMERA_NOT_FOUND", f"The site has no camera {camera[:100]}; GET /v1/cameras lists them.")
