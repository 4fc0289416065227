"""``/v1/session``: a browser signs in with an API key, and goes on with a cookie in its place."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from service.api import describe, examples
from service.api.bodies import Body, described, json_body
from service.api.gate import Access, audit_of, note_refusal
from service.api.instants import from_ms
from service.api.keyring import Caller
from service.api.problems import Code, Problem
from service.api.schemas import Schema
from service.api.sessions import COOKIE, Session
from service.keys import SCOPES, Scope

Role = Literal["viewer", "operator", "admin"]
_ROLES: Final[tuple[tuple[Scope, Role], ...]] = (("admin", "admin"), ("operate", "operator"), ("read", "viewer"))
_CODES: Final[tuple[Code, ...]] = ("HOST_REFUSED", "METHOD_NOT_ALLOWED", "INTERNAL")
_EXAMPLE: Final[dict[str, Any]] = {
    "needed": True,
    "signed_in": True,
    "name": "shift leader",
    "role": "operator",
    "scopes": ["detect", "read", "operate"],
    "csrf": "b3BlbiBzZXNhbWU",
    "expires_at": "2026-03-03T01:03:07.120Z",
    "watching": True,
}

router = APIRouter(tags=["Session"])


class SessionSchema(Schema):
    """Who asks from this browser."""

    needed: bool = Field(description="Whether a key is needed; false where the service is open.")
    signed_in: bool = Field(description="Whether requests from here are let in; true where no key is needed.")
    name: str = Field(description="The key's name; empty where no key is needed or none came.")
    role: Role | None = Field(description="What the scopes come to; null: no alerts and cameras may be seen.")
    scopes: list[Scope] = Field(description="What may be done, what is implied included.")
    csrf: str | None = Field(description="Send it as `X-CSRF-Token` with all but GET and HEAD; null without a session.")
    expires_at: str | None = Field(description="When the session is over unless it is used; null without one.")
    watching: bool = Field(description="Whether the service watches cameras.")


class SignIn(Body):
    """A key that is in force."""

    key: str = Field(min_length=1, max_length=1024, description="The API key.", examples=["ppe_1a2b3c4d_..."])


def _access(request: Request) -> Access:
    return cast(Access, request.app.state.access)


AtGate = Annotated[Access, Depends(_access)]


@router.get(
    "/v1/session",
    operation_id="get_session",
    summary="Tell who is signed in",
    response_model=SessionSchema,
    responses={200: examples.answer(_EXAMPLE), **describe.problems(*_CODES)},
)
async def session(request: Request, access: AtGate) -> SessionSchema:
    """Tell who is signed in at this browser, and what they may. It needs no key, and tells of no other."""
    found = access.keyring.signed_in(request.cookies.get(COOKIE, "")) if access.keyring else None
    return _told(request, access, *(found or (None, None)))


@router.post(
    "/v1/session",
    operation_id="sign_in",
    summary="Sign in with an API key",
    response_model=SessionSchema,
    responses={
        200: examples.answer(_EXAMPLE),
        **describe.problems(
            "UNAUTHENTICATED",
            "RATE_LIMITED",
            "BODY_INVALID",
            "BODY_TOO_LARGE",
            "BODY_TIMEOUT",
            "UNSUPPORTED_MEDIA_TYPE",
            "STORE_UNAVAILABLE",
            *_CODES,
        ),
    },
    openapi_extra=described(SignIn, {"key": "ppe_1a2b3c4d_..."}),
)
async def sign_in(request: Request, response: Response, access: AtGate) -> SessionSchema:
    """Begin a session: its cookie lets this browser in as the key does, until it is over or the key is revoked."""
    said = await json_body(request, SignIn)
    if access.keyring is None:
        return _told(request, access)
    sessions, address = access.keyring.sessions, request.client.host if request.client else "?"
    if wait := sessions.wait(address):
        raise Problem(
            "RATE_LIMITED",
            "Too many keys that are none came from here: wait for Retry-After seconds.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    caller = access.keyring.caller(said.key)
    if caller is None or caller.key is None:
        sessions.failed(address)
        await note_refusal(access, request, Caller(), "UNAUTHENTICATED")
        raise Problem("UNAUTHENTICATED", "This is no key that is in force. `ppe key create` makes one.")
    async with audit_of(request).doing(caller, "session.begin", address):
        cookie, begun = sessions.begin(caller.key)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")
    return _told(request, access, caller, begun)


@router.delete(
    "/v1/session",
    operation_id="sign_out",
    summary="Sign out",
    response_model=SessionSchema,
    responses={200: examples.answer(_EXAMPLE), **describe.problems("FORBIDDEN", "STORE_UNAVAILABLE", *_CODES)},
)
async def sign_out(request: Request, response: Response, access: AtGate) -> SessionSchema:
    """End the session of this browser; who follows events with it hears nothing more."""
    found = access.keyring.signed_in(request.cookies.get(COOKIE, "")) if access.keyring else None
    if access.keyring and found:
        caller, ending = found
        if not ending.confirmed(request.headers.get("x-csrf-token", "")):
            raise Problem("FORBIDDEN", "A session is ended by its own page, which sends X-CSRF-Token.")
        async with audit_of(request).doing(caller, "session.end", ""):
            access.keyring.sessions.end(ending.id)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return _told(request, access)


def _told(
    request: Request, access: Access, caller: Caller | None = None, session: Session | None = None
) -> SessionSchema:
    watching = request.app.state.desk is not None
    if access.keyring is None:
        return SessionSchema(
            needed=False,
            signed_in=True,
            name="",
            role="admin",
            scopes=list(SCOPES),
            csrf=None,
            expires_at=None,
            watching=watching,
        )
    scopes = caller.scopes if caller else frozenset[Scope]()
    return SessionSchema(
        needed=True,
        signed_in=caller is not None,
        name=caller.name if caller else "",
        role=next((role for scope, role in _ROLES if scope in scopes), None),
        scopes=[scope for scope in SCOPES if scope in scopes],
        csrf=session.csrf if session else None,
        expires_at=from_ms(access.keyring.ends_ms(session)) if session else None,
        watching=watching,
    )
