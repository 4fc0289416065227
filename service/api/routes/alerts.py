"""``GET /v1/alerts``: alerts of the watched cameras, and what happened to them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe, examples
from service.api.cursors import cursor, place
from service.api.desk import Desk, desk
from service.api.instants import AskedInstant
from service.api.problems import Problem
from service.api.watched import AlertHistorySchema, AlertSchema, PageSchema, Status
from service.inquiry import Wanted
from service.safety.equipment import Equipment
from service.safety.site import Severity

router = APIRouter(tags=["Alerts"])
Alert = Annotated[str, Path(description="The alert's id.", examples=["3f0c9a52d17be846"])]
AtDesk = Annotated[Desk, Depends(desk)]


class AlertsQuery(BaseModel):
    """Which alerts are asked for. An unknown parameter is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: str | None = Field(default=None, max_length=100, description="The camera's id.", examples=["north"])
    zone: str | None = Field(default=None, max_length=100, description="The zone's id.", examples=["gate"])
    equipment: Equipment | None = Field(default=None, description="What is missing.")
    severity: Severity | None = Field(default=None)
    status: Status | None = Field(default=None, description="open, or ended.")
    acknowledged: bool | None = Field(default=None, description="Whether somebody has acknowledged it.")
    since: AskedInstant | None = Field(default=None, description="Fired then or later.")
    until: AskedInstant | None = Field(default=None, description="Fired before then.")
    limit: int = Field(default=50, ge=1, le=200, description="Most alerts on the page.")
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before, with the same filters."
    )

    def wanted(self) -> Wanted:
        """Return which alerts they ask for."""
        return Wanted(
            camera=self.camera,
            zone=self.zone,
            equipment=self.equipment,
            severity=self.severity,
            open=None if self.status is None else self.status == "open",
            acknowledged=self.acknowledged,
            since_ms=self.since,
            until_ms=self.until,
        )


@router.get(
    "/v1/alerts",
    operation_id="list_alerts",
    summary="List alerts, newest first",
    response_model=PageSchema,
    responses={
        200: examples.answer(examples.PAGE),
        **describe.problems(*describe.WATCHING),
    },
)
def alerts(query: Annotated[AlertsQuery, Query()], desk: AtDesk) -> PageSchema:
    """List alerts by the time at which they fired. Alerts that fire meanwhile shift no page."""
    before = place(query.cursor) if query.cursor is not None else None
    found = desk.records.find(query.wanted(), query.limit + 1, before)
    shown, now_ms = found[: query.limit], desk.clock.now().wall_ms
    return PageSchema(
        alerts=[AlertSchema.of(one, desk.origin(one.alert.camera), now_ms) for one in shown],
        next_cursor=cursor(shown[-1].place) if len(found) > len(shown) else None,
    )


@router.get(
    "/v1/alerts/{alert}",
    operation_id="get_alert",
    summary="Tell of one alert, and what happened to it",
    response_model=AlertHistorySchema,
    responses={200: examples.answer(examples.HISTORY), **describe.problems("ALERT_NOT_FOUND", *describe.WATCHING)},
)
def alert(alert: Alert, desk: AtDesk) -> AlertHistorySchema:
    """Tell of an alert, with its changes, oldest first."""
    history = desk.records.alert(alert)
    if history is None:
        raise no_such(alert)
    return AlertHistorySchema.of_history(history, desk.origin(history.alert.camera), desk.clock.now().wall_ms)


def no_such(alert: str) -> Problem:
    """Return the problem that there is no alert of an id."""
    return Problem("ALERT_NOT_FOUND", f"There is no alert {alert[:100]}; GET /v1/alerts lists them.")
