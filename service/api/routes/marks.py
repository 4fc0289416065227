"""``POST /v1/alerts/{alert}/...``: what people say of an alert. It is kept, shown, and changes no alert to come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request

from service.api import describe, examples
from service.api.bodies import Acknowledgement, FalseAlarm, Said, Snooze, described, json_body
from service.api.desk import Desk
from service.api.gate import audit_of, caller_of
from service.api.problems import Code, Problem
from service.api.routes.alerts import Alert, AtDesk, no_such
from service.api.watched import AlertHistorySchema
from service.inquiry import Mark

LONGEST_SNOOZE_MS: Final = 7 * 86_400_000

log = structlog.stdlib.get_logger("service.api")
router = APIRouter(tags=["Alerts"])


def _described(shape: type[Said], example: dict[str, Any]) -> dict[str, Any]:
    """Return what the three routes' descriptions have in common."""
    codes: tuple[Code, ...] = (
        "ALERT_NOT_FOUND",
        "BODY_INVALID",
        "BODY_TOO_LARGE",
        "BODY_TIMEOUT",
        "UNSUPPORTED_MEDIA_TYPE",
        *describe.WATCHING,
    )
    return {
        "response_model": AlertHistorySchema,
        "responses": {200: examples.answer(examples.HISTORY), **describe.problems(*codes)},
        "openapi_extra": described(shape, example),
    }


@router.post(
    "/v1/alerts/{alert}/acknowledge",
    operation_id="acknowledge_alert",
    summary="Say that somebody takes care of an alert",
    **_described(Acknowledgement, {"by": "Kim", "note": "Sent back for a helmet."}),
)
async def acknowledge(alert: Alert, request: Request, desk: AtDesk) -> AlertHistorySchema:
    """Keep who takes care of it. Saying the same again changes nothing."""
    async with audit_of(request).doing(caller_of(request), "alert.acknowledge", alert):
        said = await json_body(request, Acknowledgement)
        by = said.by or caller_of(request).name
        if not by:
            raise Problem("BODY_INVALID", "by: say who takes care of it")
        return await _mark(desk, alert, Mark("acknowledged", 0, by, said.note))


@router.post(
    "/v1/alerts/{alert}/snooze",
    operation_id="snooze_alert",
    summary="Say that nobody need look at an alert for some time",
    **_described(Snooze, {"until": "2026-03-02T15:00:00Z", "by": "Kim"}),
)
async def snooze(alert: Alert, request: Request, desk: AtDesk) -> AlertHistorySchema:
    """Keep until when nobody need look at it, 7 days at most. The next alert fires and is sent all the same."""
    async with audit_of(request).doing(caller_of(request), "alert.snooze", alert):
        said = await json_body(request, Snooze)
        ahead = said.until - desk.clock.now().wall_ms
        if not 0 < ahead <= LONGEST_SNOOZE_MS:
            raise Problem("BODY_INVALID", "until: say a time that is later than now, and by 7 days at most")
        return await _mark(desk, alert, Mark("snoozed", 0, said.by or caller_of(request).name, until_ms=said.until))


@router.post(
    "/v1/alerts/{alert}/false",
    operation_id="report_false_alarm",
    summary="Say that an alert was a false alarm",
    **_described(FalseAlarm, {"reason": "A statue.", "by": "Kim"}),
)
async def false_alarm(alert: Alert, request: Request, desk: AtDesk) -> AlertHistorySchema:
    """Keep why it was none. Saying the same again changes nothing."""
    async with audit_of(request).doing(caller_of(request), "alert.false", alert):
        said = await json_body(request, FalseAlarm)
        by = said.by or caller_of(request).name
        return await _mark(desk, alert, Mark("false_alarm", 0, by, said.reason))


async def _mark(desk: Desk, alert: str, said: Mark) -> AlertHistorySchema:
    """Keep what was said now, and tell of the alert."""
    now_ms = desk.clock.now().wall_ms
    history = await anyio.to_thread.run_sync(desk.records.mark, alert, replace(said, at_ms=now_ms))
    if history is None:
        raise no_such(alert)
    log.info(f"alert.{said.kind}", alert=alert)
    return AlertHistorySchema.of_history(history, desk.origin(history.alert.camera), now_ms)
