"""``GET /v1/alerts/{alert}/evidence/...``: pictures and the clip of an alert.

Faces are gone from all but the clean picture, which needs the scope `admin`; who reads it stands in the audit log.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Request
from starlette.responses import Response

from service.api import describe
from service.api.desk import Desk
from service.api.gate import audit_of, caller_of
from service.api.problems import Problem
from service.api.ranges import ranged
from service.api.routes.alerts import Alert, AtDesk, no_such

KEEP: Final = "private, max-age=86400, immutable"
"""A picture never changes; a day, so that what the store has removed does not live on in browsers."""
UNKEPT: Final = {"Cache-Control": "no-store"}
AGAIN: Final = 3
"""Seconds after which a clip that is not there yet is worth asking for."""
_WHY: Final = {
    "age": "it was older than evidence is kept",
    "size": "there was more evidence than is kept",
    "space": "the disk was nearly full",
    "erased": "it was erased on request",
    "not_written": "it could not be written",
    "lost": "the service ended before it was written",
    "missing": "somebody removed its file",
}
_NEVER_WAS: Final = {"not_written", "lost"}

router = APIRouter(tags=["Evidence"])
clean_router = APIRouter(tags=["Evidence"])
Known = Annotated[str | None, Header(alias="If-None-Match", description="Tags of what the client has.")]


@clean_router.get(
    "/v1/alerts/{alert}/evidence/clean",
    operation_id="get_clean_evidence",
    summary="Give the picture of an alert with the faces on it",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {"image/jpeg": {"schema": describe.BINARY}}},
        **describe.problems("ALERT_NOT_FOUND", "EVIDENCE_GONE", *describe.WATCHING),
    },
)
async def clean(alert: Alert, request: Request, desk: AtDesk) -> Response:
    """Give the JPEG as the camera sent it, but for what zones ignore. Each time stands in the audit log."""
    async with audit_of(request).doing(caller_of(request), "evidence.clean", alert):
        jpeg = await anyio.to_thread.run_sync(desk.records.picture, alert, "clean")
        if jpeg is None:
            raise await anyio.to_thread.run_sync(_gone, desk, alert, "clean")
    return Response(jpeg, media_type="image/jpeg", headers=UNKEPT)


@router.get(
    "/v1/alerts/{alert}/evidence/clip",
    operation_id="get_clip",
    summary="Give the clip of an alert",
    response_class=Response,
    responses={
        200: {"description": "The clip.", "content": {"video/mp4": {"schema": describe.BINARY}}},
        206: {"description": "The part that `Range` asks for.", "content": {"video/mp4": {"schema": describe.BINARY}}},
        304: {"description": "The clip of `If-None-Match` is the one that is kept."},
        **describe.problems(
            "EVIDENCE_PENDING",
            "ALERT_NOT_FOUND",
            "NO_CLIP",
            "EVIDENCE_GONE",
            "RANGE_NOT_SATISFIABLE",
            *describe.WATCHING,
        ),
    },
)
def clip(
    alert: Alert,
    desk: AtDesk,
    part: Annotated[str | None, Header(alias="Range", description="One part of it, in bytes.")] = None,
    only_if: Annotated[str | None, Header(alias="If-Range", description="The tag that `Range` is meant for.")] = None,
    known: Known = None,
) -> Response:
    """Give the MP4 (H.264): five seconds before the alert fired and five after, without faces."""
    why = desk.records.why_gone(alert, "clip")  # asked first: what comes in between is there, not absent
    mp4 = None if why else desk.records.picture(alert, "clip")
    if mp4 is None:
        raise _no_clip(desk, alert, why or desk.records.why_gone(alert, "clip"))
    tag = _tag(mp4)
    if _is_known(tag, known):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": KEEP})
    return ranged(mp4, "video/mp4", {"ETag": tag, "Cache-Control": KEEP}, part, only_if)


@router.get(
    "/v1/alerts/{alert}/evidence/{kind}",
    operation_id="get_evidence",
    summary="Give a picture of an alert",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {"image/jpeg": {"schema": describe.BINARY}}},
        304: {"description": "The picture of `If-None-Match` is the one that is kept."},
        **describe.problems("ALERT_NOT_FOUND", "EVIDENCE_GONE", *describe.WATCHING),
    },
)
def evidence(
    alert: Alert,
    kind: Annotated[Literal["annotated", "crop"], Path(description="Which picture.")],
    desk: AtDesk,
    known: Known = None,
) -> Response:
    """Give the JPEG: everybody marked, or the person cut out, without faces."""
    jpeg = desk.records.picture(alert, kind)
    if jpeg is None:
        raise _gone(desk, alert, kind)
    tag = _tag(jpeg)
    headers = {"ETag": tag, "Cache-Control": KEEP}
    if _is_known(tag, known):
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _gone(desk: Desk, alert: str, kind: str) -> Problem:
    """Return the problem that a picture is not there."""
    if desk.records.alert(alert) is None:
        return no_such(alert)
    why = desk.records.why_gone(alert, kind)
    detail = f"The alert is kept, its {kind} picture is not, or not any more{_told(why)}."
    return Problem("EVIDENCE_GONE", detail, headers=UNKEPT, why=why)


def _no_clip(desk: Desk, alert: str, why: str | None) -> Problem:
    """Return the problem that a clip is not there: not yet, not any more, or never was."""
    if desk.records.alert(alert) is None:
        return no_such(alert)
    if why == "pending":
        told = "The clip ends five seconds after the alert fired and is written then: ask again after Retry-After."
        return Problem("EVIDENCE_PENDING", told, headers={**UNKEPT, "Retry-After": str(AGAIN)})
    if why is None:
        told = "No clip was made of this alert: the site file says clip: false for its camera, or said so then."
        return Problem("NO_CLIP", told, headers=UNKEPT, why="off")
    if why in _NEVER_WAS:
        return Problem("NO_CLIP", f"There is no clip of this alert{_told(why)}.", headers=UNKEPT, why=why)
    return Problem(
        "EVIDENCE_GONE", f"The alert is kept, its clip is not any more{_told(why)}.", headers=UNKEPT, why=why
    )


def _told(why: str | None) -> str:
    return f": {_WHY[why]}" if why in _WHY else ""


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _is_known(tag: str, known: str | None) -> bool:
    named = {one.strip().removeprefix("W/") for one in (known or "").split(",")}
    return tag in named or "*" in named
