"""The shape of DeepStack's detection, which Home Assistant, Agent DVR, Viseron and scripts know: one picture, boxes."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import Any, Final, cast

from fastapi import APIRouter, Request

from service.api.dropin import floor, judged
from service.api.gate import named_late
from service.api.judging import Clock
from service.api.problems import Problem
from service.api.schemas import JudgedSchema
from service.api.uploads import UploadLimits, uploads

CONFIDENCE: Final = 0.4
"""Smallest confidence of boxes where a client names none."""

router = APIRouter(include_in_schema=False)  # the shape is somebody else's; docs/drop-in.md has it


@router.post("/v1/vision/detection")
@router.post("/v1/vision/custom/{name}")
async def detection(request: Request) -> dict[str, Any]:
    """Return boxes of the picture in the form's field image."""
    fields: dict[str, str] = {}
    try:
        entry, clock = await _judged(request, fields)
    except Problem as problem:
        problem.members.update(success=False, error=problem.detail)
        raise
    return {
        "success": True,
        "predictions": [
            {
                "label": one.class_name,
                "confidence": one.confidence,
                "x_min": round(one.box.x1),
                "y_min": round(one.box.y1),
                "x_max": round(one.box.x2),
                "y_max": round(one.box.y2),
            }
            for one in entry.detections
        ],
        "duration": clock.timings().total,
    }


async def _judged(request: Request, fields: dict[str, str]) -> tuple[JudgedSchema, Clock]:
    limits = cast(UploadLimits, request.app.state.upload_limits)
    try:
        async with aclosing(uploads(request, limits, fields)) as arriving:
            pictures = [picture async for picture in arriving]
    finally:  # to whom has no key nothing is said of the body
        await named_late(request, fields.get("api_key", ""))
    if len(pictures) > 1:
        raise Problem("TOO_MANY_IMAGES", "Send one picture, in the field image.")
    (entry,), clock = await judged(request, pictures, floor(_confidence(fields), CONFIDENCE))
    return entry, clock


def _confidence(fields: dict[str, str]) -> float | None:
    given = fields.get("min_confidence", "").strip()
    if not given:
        return None
    with suppress(ValueError):
        if 0 <= float(given) <= 100:
            return float(given)
    raise Problem("PARAMETER_INVALID", "min_confidence: a number from 0 to 1.")
