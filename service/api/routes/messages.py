"""``/v1/messages`` and ``/v1/endpoints``: what became of webhooks, sent once more, and who is sent nothing any more."""

from __future__ import annotations

from typing import Annotated, Any, Final

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe, examples
from service.api.bodies import PRINTED, Body, described, json_body
from service.api.cursors import cursor, place
from service.api.gate import audit_of, caller_of
from service.api.instants import AskedInstant, from_ms
from service.api.problems import Code, Problem
from service.api.routes.alerts import AtDesk
from service.api.schemas import Schema
from service.events import Instant
from service.inquiry import DeliveryState, EndpointReport, Posted, Sent
from service.ports import EventType

_MESSAGE: Final[dict[str, Any]] = {
    "id": "msg_c1cc8af67669d8aa744d6f32f649a10f",
    "type": "alert.fired",
    "camera": "north",
    "created_at": "2026-03-02T13:03:09.320Z",
    "endpoint": "safety-office",
    "state": "dead",
    "attempts": 311,
    "tried_at": "2026-03-05T13:21:44.018Z",
    "next_at": None,
    "error": "HTTP 500",
}
_AGAIN: Final = {**_MESSAGE, "state": "pending", "attempts": 0, "tried_at": None, "error": ""}
_ENDPOINT: Final[dict[str, Any]] = {
    "name": "safety-office",
    "pending": 12,
    "oldest_at": "2026-03-02T13:03:09.320Z",
    "dead": 0,
    "enabled": False,
    "disabled_at": "2026-03-02T13:03:10.002Z",
    "why": "HTTP 410",
}
_CHANGING: Final[tuple[Code, ...]] = (
    "BODY_INVALID",
    "BODY_TOO_LARGE",
    "BODY_TIMEOUT",
    "UNSUPPORTED_MEDIA_TYPE",
    *describe.WATCHING,
)

router = APIRouter(tags=["Messages"])
operating = APIRouter(tags=["Messages"])
"""The routes that change something."""
Name = Annotated[str, Path(description="The endpoint's name in the site file.", examples=["safety-office"])]


class MessageSchema(Schema):
    """A message on its way to one endpoint, or at its end."""

    id: str = Field(description="`webhook-id` of every attempt.")
    type: str
    camera: str = Field(description="The camera's id.")
    created_at: Instant = Field(description="When it happened.")
    endpoint: str = Field(description="The endpoint's name in the site file.")
    state: DeliveryState
    attempts: int = Field(description="Tries so far, or since it was replayed.")
    tried_at: Instant | None = Field(description="When it was tried last; null before the first try.")
    next_at: Instant | None = Field(description="When it is tried next, at the earliest; null: in its turn, or never.")
    error: str = Field(description="Why the last try failed, or why it is sent no more.")

    @classmethod
    def of(cls, sent: Sent) -> MessageSchema:
        """Present a message."""
        return cls(
            id=sent.id,
            type=sent.type,
            camera=sent.camera,
            created_at=from_ms(sent.created_ms),
            endpoint=sent.endpoint,
            state=sent.state,
            attempts=sent.attempts,
            tried_at=None if sent.tried_ms is None else from_ms(sent.tried_ms),
            next_at=None if sent.next_ms is None else from_ms(sent.next_ms),
            error=sent.error,
        )


class MessagesSchema(Schema):
    """A page of messages, newest first."""

    messages: list[MessageSchema]
    next_cursor: str | None = Field(description="Of the next page; null on the last one.")


class ReplayedSchema(Schema):
    """How a message stands, for each endpoint."""

    messages: list[MessageSchema]


class EndpointSchema(Schema):
    """How an endpoint of the site file does."""

    name: str
    pending: int = Field(description="Messages that wait for it.")
    oldest_at: Instant | None = Field(description="When the oldest of them happened; null when none waits.")
    dead: int = Field(description="Messages that were given up.")
    enabled: bool = Field(description="False: it answered 410 and is sent nothing; what waits for it waits on.")
    disabled_at: Instant | None
    why: str = Field(description="Why it is disabled.")

    @classmethod
    def of(cls, report: EndpointReport) -> EndpointSchema:
        """Present an endpoint."""
        return cls(
            name=report.name,
            pending=report.pending,
            oldest_at=None if report.oldest_ms is None else from_ms(report.oldest_ms),
            dead=report.dead,
            enabled=report.disabled_ms is None,
            disabled_at=None if report.disabled_ms is None else from_ms(report.disabled_ms),
            why=report.why,
        )


class EndpointsSchema(Schema):
    """The endpoints, in the order of the site file."""

    endpoints: list[EndpointSchema]


class MessagesQuery(BaseModel):
    """Which messages are asked for. An unknown parameter is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: DeliveryState | None = Field(default=None, description="dead: given up.")
    endpoint: str | None = Field(default=None, max_length=100, description="The endpoint's name.")
    camera: str | None = Field(default=None, max_length=100, description="The camera's id.", examples=["north"])
    type: EventType | None = Field(default=None)
    since: AskedInstant | None = Field(default=None, description="Of what happened then or later.")
    until: AskedInstant | None = Field(default=None, description="Of what happened before then.")
    limit: int = Field(default=50, ge=1, le=200, description="Most messages on the page.")
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before, with the same filters."
    )

    def wanted(self) -> Posted:
        """Return which messages they ask for."""
        return Posted(
            state=self.state,
            endpoint=self.endpoint,
            camera=self.camera,
            type=self.type,
            since_ms=self.since,
            until_ms=self.until,
        )


class Replay(Body):
    """Where a message is sent once more."""

    endpoint: str | None = Field(
        default=None,
        max_length=100,
        pattern=PRINTED,
        description="Only to this endpoint, and also where it was delivered; without it, to all where it is dead.",
        examples=["safety-office"],
    )


class Enable(Body):
    """Nothing need be said."""


@router.get(
    "/v1/messages",
    operation_id="list_messages",
    summary="List webhooks, newest first",
    responses={
        200: examples.answer({"messages": [_MESSAGE], "next_cursor": "MSA0MTEgc2FmZXR5LW9mZmljZQ"}),
        **describe.problems(*describe.WATCHING),
    },
)
def messages(query: Annotated[MessagesQuery, Query()], desk: AtDesk) -> MessagesSchema:
    """List messages, one entry for each endpoint. Messages that are recorded meanwhile shift no page."""
    before = place(query.cursor) if query.cursor is not None else None
    found = desk.records.find_messages(query.wanted(), query.limit + 1, before)
    shown = found[: query.limit]
    return MessagesSchema(
        messages=[MessageSchema.of(one) for one in shown],
        next_cursor=cursor(shown[-1].place) if len(found) > len(shown) else None,
    )


@operating.post(
    "/v1/messages/{message}/replay",
    operation_id="replay_message",
    summary="Send a webhook once more",
    response_model=ReplayedSchema,
    responses={
        200: examples.answer({"messages": [_AGAIN]}),
        **describe.problems("MESSAGE_NOT_FOUND", *_CHANGING),
    },
    openapi_extra=described(Replay, {"endpoint": "safety-office"}),
)
async def replay(
    message: Annotated[str, Path(description="The message's id.", examples=["msg_c1cc8af67669d8aa744d6f32f649a10f"])],
    request: Request,
    desk: AtDesk,
) -> ReplayedSchema:
    """Send it under the same id and with the same body. What is on its way, or was erased, stays as it is."""
    async with audit_of(request).doing(caller_of(request), "message.replay", message[:100]):
        said = await json_body(request, Replay)
        found = await anyio.to_thread.run_sync(desk.records.replay, message, said.endpoint)
        if found is None:
            raise Problem(
                "MESSAGE_NOT_FOUND", f"There is no message {message[:100]} there; GET /v1/messages lists them."
            )
    return ReplayedSchema(messages=[MessageSchema.of(one) for one in found])


@router.get(
    "/v1/endpoints",
    operation_id="list_endpoints",
    summary="Tell how the endpoints of the site do",
    responses={
        200: examples.answer({"endpoints": [_ENDPOINT]}),
        **describe.problems(*describe.WATCHING),
    },
)
def endpoints(desk: AtDesk) -> EndpointsSchema:
    """Tell what waits for each, what was given up, and which are disabled."""
    return EndpointsSchema(endpoints=[EndpointSchema.of(one) for one in desk.records.endpoint_reports()])


@operating.post(
    "/v1/endpoints/{endpoint}/enable",
    operation_id="enable_endpoint",
    summary="Send an endpoint that was gone what waits for it",
    response_model=EndpointSchema,
    responses={
        200: examples.answer({**_ENDPOINT, "enabled": True, "disabled_at": None, "why": ""}),
        **describe.problems("ENDPOINT_NOT_FOUND", *_CHANGING),
    },
    openapi_extra=described(Enable, {}),
)
async def enable(endpoint: Name, request: Request, desk: AtDesk) -> EndpointSchema:
    """Enable an endpoint that answered 410. One that is enabled stays as it is."""
    async with audit_of(request).doing(caller_of(request), "endpoint.enable", endpoint[:100]):
        await json_body(request, Enable)
        await anyio.to_thread.run_sync(desk.records.enable, endpoint)
        reports = await anyio.to_thread.run_sync(desk.records.endpoint_reports)
        for report in reports:
            if report.name == endpoint:
                return EndpointSchema.of(report)
        raise Problem("ENDPOINT_NOT_FOUND", f"The site has no endpoint {endpoint[:100]}; GET /v1/endpoints lists them.")
