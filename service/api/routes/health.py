"""Probes: is the process alive, and does it take pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel

from service.api import describe
from service.api.desk import Desk
from service.api.judging import Judge
from service.api.problems import Problem
from service.api.schemas import ModelSchema

router = APIRouter(tags=["Health"])


class AliveSchema(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadySchema(BaseModel):
    """The model has answered a picture."""

    status: Literal["ready"] = "ready"
    model: ModelSchema


@router.get(
    "/healthz",
    operation_id="get_health",
    summary="Tell that the process is alive",
    responses=describe.problems("HOST_REFUSED", "METHOD_NOT_ALLOWED", "INTERNAL"),
)
async def healthz() -> AliveSchema:
    """Answer, whatever the model does."""
    return AliveSchema()


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Tell that pictures can be judged",
    responses=describe.problems("HOST_REFUSED", "METHOD_NOT_ALLOWED", "INTERNAL", "MODEL_UNAVAILABLE"),
)
async def readyz(request: Request) -> ReadySchema:
    """Answer 200 from the model's first answer until shutdown; 503 before, after, and while it fails."""
    if not request.app.state.ready:
        raise Problem("MODEL_UNAVAILABLE", "The model is not loaded yet, or the service is shutting down.")
    if fault := cast(Callable[[], str], request.app.state.fault)():
        raise Problem("MODEL_UNAVAILABLE", f"The model fails its self-test: {fault}.")
    desk = cast(Desk | None, request.app.state.desk)
    if desk is not None and any(report.stuck for report in desk.health.reports()):
        raise Problem("MODEL_UNAVAILABLE", "The model has not answered a camera's picture for long: start it anew.")
    return ReadySchema(model=cast(Judge, request.app.state.judge).model)
