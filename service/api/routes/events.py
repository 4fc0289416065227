"""``GET /v1/events/stream``: what webhooks tell, as it happens, to who listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, cast, get_args

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from service.api import describe
from service.api.desk import Desk
from service.api.problems import Problem
from service.api.routes.alerts import AtDesk
from service.api.stream import EventStream, Listeners, Wishes
from service.metrics import Metrics
from service.ports import EventType

_TYPES: Final[tuple[str, ...]] = get_args(EventType)
_ANY: Final = "|".join(_TYPES).replace(".", "[.]")
_EXAMPLE: Final = (
    'id: msg_9f2d\nevent: cursor\ndata: {"type": "cursor"}\n\n'
    "id: msg_c1cc8af67669d8aa744d6f32f649a10f\nevent: alert.fired\n"
    'data: {"type":"alert.fired","timestamp":"2026-03-02T13:03:09.320Z","data":{"...":"..."}}\n\n'
    ": still here\n\n"
)
_ANSWER: Final[dict[str, Any]] = {
    "description": "Events, one after another, for as long as the client listens.",
    "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
}

router = APIRouter(tags=["Events"])


class EventsQuery(BaseModel):
    """What is to be heard. An unknown parameter is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    camera: str | None = Field(
        default=None, max_length=2000, description="Of these cameras: ids with commas between.", examples=["north"]
    )
    type: str | None = Field(
        default=None,
        max_length=500,
        json_schema_extra={"pattern": f"^({_ANY})(,({_ANY}))*$"},
        description=f"Of these types, with commas between: {', '.join(_TYPES)}.",
        examples=["alert.fired,alert.resolved"],
    )

    def wishes(self, desk: Desk) -> Wishes:
        """Return what they want to hear.

        Raises:
            Problem: PARAMETER_INVALID or CAMERA_NOT_FOUND.
        """
        types = None if self.type is None else frozenset(self.type.split(","))
        if types is not None and not types <= set(_TYPES):
            raise Problem("PARAMETER_INVALID", f"type: say some of {', '.join(_TYPES)}, with commas between")
        cameras = None if self.camera is None else frozenset(self.camera.split(","))
        known = {report.camera for report in desk.health.reports()}
        if cameras is not None and (strange := sorted(cameras - known)):
            raise Problem("CAMERA_NOT_FOUND", f"The site has no camera {strange[0][:100]}; GET /v1/cameras lists them.")
        return Wishes(cameras, types)


async def _place(request: Request) -> AsyncIterator[None]:
    """Have a place among the listeners until the answer has ended."""
    with cast(Listeners, request.app.state.listeners).place():
        yield


@router.get(
    "/v1/events/stream",
    operation_id="stream_events",
    summary="Tell events as they happen",
    response_class=StreamingResponse,
    responses={200: _ANSWER, **describe.problems("CAMERA_NOT_FOUND", "LISTENERS_FULL", *describe.WATCHING)},
    dependencies=[Depends(_place)],
)
async def stream_events(
    request: Request,
    query: Annotated[EventsQuery, Query()],
    desk: AtDesk,
    last_event_id: Annotated[
        str | None, Header(description="`id` of the last event that came: what happened since is told first.")
    ] = None,
) -> EventStream:
    """Tell what webhooks tell, whoever else is told, as server-sent events. `id` is the webhook's id.

    The event `cursor` says from where on it tells; `missed` that what lies between can't be told any more.
    """
    listeners, metrics = cast(Listeners, request.app.state.listeners), cast(Metrics, request.app.state.metrics)
    wishes = query.wishes(desk)
    start = await listeners.start(desk.records, last_event_id or "")
    return EventStream(listeners, desk.records, desk.bell, wishes, start, metrics)
