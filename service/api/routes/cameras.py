"""``GET /v1/cameras`` and ``/v1/pictures``: how the watched cameras do, and what they show."""

from __future__ import annotations

import secrets
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
_WALL: Final = "`multipart/form-data`: a part for each camera, of its id as `name` and the picture's tag as `filename`."
"""Said in words alone: those who generate clients know no multipart answers, and would leave the route out."""
MOST: Final = 64
"""Cameras whose pictures are given at once."""
Width = Annotated[int, Query(ge=0, le=10_000, description="Scaled down to so many pixels; 0: as it is.")]
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
    width: Width = 0,
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


@router.get(
    "/v1/pictures",
    operation_id="get_pictures",
    summary="Give the last judged pictures of several cameras at once",
    response_class=Response,
    responses={
        200: {"description": _WALL},
        204: {"description": "None has a picture that `If-None-Match` does not name."},
        **describe.problems(*_CODES),
    },
)
def camera_pictures(
    desk: AtDesk,
    camera: Annotated[
        str,
        Query(min_length=1, max_length=8000, description="Ids with commas between; who has no picture is left out."),
    ],
    width: Width = 0,
    known: Annotated[str | None, Header(alias="If-None-Match", description="Tags of what the client has.")] = None,
) -> Response:
    """Give the pictures that the client has not, each as of one camera: a wall of cameras asks once for all."""
    wanted = dict.fromkeys(camera.split(","))
    if len(wanted) > MOST:
        raise Problem("PARAMETER_INVALID", f"camera: {MOST} at most at once.")
    has = {tag.strip() for tag in (known or "").split(",")}
    views = ((one, desk.health.view(one)) for one in wanted)
    drawn = ((one, desk.drawings.of(one, view, width)) for one, view in views if view is not None)
    fresh = [(one, drawing) for one, drawing in drawn if drawing.tag not in has]
    headers = {"Cache-Control": "no-store"}
    if not fresh:
        return Response(status_code=204, headers=headers)
    line = secrets.token_hex(16)
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{one}"; filename={drawing.tag}\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + drawing.content
        + b"\r\n"
        for one, drawing in fresh
    ]
    content = b"".join([*parts, f"--{line}--\r\n".encode()])
    return Response(content, media_type=f"multipart/form-data; boundary={line}", headers=headers)


def no_such_camera(camera: str) -> Problem:
    """Return the problem of a camera that the site has not."""
    return Problem("CAMERA_NOT_FOUND", f"The site has no camera {camera[:100]}; GET /v1/cameras lists them.")
