"""``POST /v1/detect``: pictures in, for every person whether helmet and vest are worn, missing or unknown."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe
from service.api.judging import Clock, Entry, Judge, Question
from service.api.media import answer_form
from service.api.problems import Code, Problem
from service.api.schemas import AnswerSchema, RefusedSchema
from service.api.uploads import Upload, UploadLimits, uploads
from service.pictures.decode import PictureError
from service.safety.equipment import EQUIPMENT

router = APIRouter(tags=["Detect"])


class DetectQuery(BaseModel):
    """The query parameters of a detection. An unknown one is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    require: str = Field(
        default="helmet,vest",
        pattern=r"^(helmet|vest)(,(helmet|vest))*$",
        description="What `compliant` means: helmet, vest or both, with a comma between them.",
        examples=["helmet,vest", "helmet"],
    )
    confidence: float = Field(
        default=0.25,
        ge=0.05,
        le=1,
        allow_inf_nan=False,
        description="Smallest confidence of the boxes in `detections`. It never changes a state in `people`.",
    )

    def question(self) -> Question:
        """Return what they ask."""
        required = self.require.split(",")
        return Question(tuple(equipment for equipment in EQUIPMENT if equipment in required), self.confidence)


@router.post(
    "/v1/detect",
    operation_id="detect",
    summary="Say who wears helmet and vest on one or many pictures",
    response_model=None,
    responses=describe.DETECT_RESPONSES,
    openapi_extra={"requestBody": describe.DETECT_BODY},
)
async def detect(request: Request, query: Annotated[DetectQuery, Query()]) -> Response:
    """Judge pictures, as JSON or (`Accept: image/jpeg`, one picture only) as the annotated picture."""
    clock = Clock()
    judge = cast(Judge, request.app.state.judge)
    limits = cast(UploadLimits, request.app.state.upload_limits)
    form = answer_form(request.headers.get("accept"))
    async with aclosing(uploads(request, limits)) as arriving:
        if form == "image/jpeg":
            return Response(await _drawn(judge, arriving, query.question(), clock), media_type=form)
        entries = await judge.entries(arriving, query.question(), clock)
    _check_some_good(entries)
    answer = AnswerSchema(
        images=entries,
        model=judge.model,
        thresholds=judge.thresholds,
        timings_ms=clock.timings(),
        request_id=request.state.request_id,
    )
    return Response(answer.model_dump_json(by_alias=True), media_type=form)


async def _drawn(judge: Judge, arriving: AsyncGenerator[Upload, None], question: Question, clock: Clock) -> bytes:
    upload = await anext(arriving)
    async for _ in arriving:
        raise Problem("NOT_ACCEPTABLE", "An annotated picture answers one picture: send one, or take JSON.")
    try:
        return await judge.drawing(upload, question, clock)
    except PictureError as error:
        raise Problem(error.code, error.detail) from error


def _check_some_good(entries: list[Entry]) -> None:
    bad = [entry for entry in entries if isinstance(entry, RefusedSchema)]
    if len(bad) < len(entries):
        return
    if len(bad) == 1:
        raise Problem(cast(Code, bad[0].error.code), bad[0].error.detail)
    raise Problem(
        "ALL_IMAGES_BAD",
        f"None of the {len(bad)} pictures could be judged; `images` says why, one by one.",
        images=[entry.model_dump() for entry in bad],
    )
