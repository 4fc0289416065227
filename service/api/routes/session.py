"""``/v1/session``: a browser signs in with an API key or as a user, and goes on with a cookie in their place."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, cast

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from service.api import describe, examples
from service.api.bodies import Body, described, json_body
from service.api.gate import Access, audit_of, note_refusal
from service.api.instants import from_ms
from service.api.keyring import Caller, Keyring
from service.api.problems import Code, Problem
from service.api.schemas import Schema
from service.api.sessions import COOKIE, Session
from service.keys import LONGEST_NAME, SCOPES, Role, Scope
from service.passwords import LONGEST, SHORTEST

_ROLES: Final[tuple[tuple[Scope, Role], ...]] = (("admin", "admin"), ("operate", "operator"), ("read", "viewer"))
_CODES: Final[tuple[Code, ...]] = ("HOST_REFUSED", "METHOD_NOT_ALLOWED", "INTERNAL")
_SENT: Final[tuple[Code, ...]] = (
    "UNAUTHENTICATED",
    "RATE_LIMITED",
    "BODY_INVALID",
    "BODY_TOO_LARGE",
    "BODY_TIMEOUT",
    "UNSUPPORTED_MEDIA_TYPE",
    "STORE_UNAVAILABLE",
    *_CODES,
)
"""Of what sends a key or password."""
_WAITING: Final = 20
"""Passwords that wait to be proved."""
_EXAMPLE: Final[dict[str, Any]] = {
    "needed": True,
    "signed_in": True,
    "name": "shift leader",
    "user": True,
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
    name: str = Field(description="Of the key or user; empty where none is needed or none came.")
    user: bool = Field(description="Whether it is a user, who has a password to change.")
    role: Role | None = Field(description="What the scopes come to; null: no alerts and cameras may be seen.")
    scopes: list[Scope] = Field(description="What may be done, what is implied included.")
    csrf: str | None = Field(description="Send it as `X-CSRF-Token` with all but GET and HEAD; null without a session.")
    expires_at: str | None = Field(description="When the session is over unless it is used; null without one.")
    watching: bool = Field(description="Whether the service watches cameras.")


class SignIn(Body):
    """A key that is in force."""

    key: str = Field(min_length=1, max_length=1024, description="The API key.", examples=["ppe_1a2b3c4d_..."])


class UserSignIn(Body):
    """A user's name and password."""

    name: str = Field(
        min_length=1, max_length=LONGEST_NAME, description="In upper or lower case.", examples=["Ann Lee"]
    )
    password: str = Field(min_length=1, max_length=LONGEST, description="Theirs.")


class NewPassword(Body):
    """Another password for who is signed in."""

    password: str = Field(min_length=1, max_length=LONGEST, description="The one of now.")
    new: str = Field(min_length=SHORTEST, max_length=LONGEST, description="The one from now on.")


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


_BEGUN: Final[dict[int | str, Any]] = {
    200: examples.answer(_EXAMPLE),
    **describe.problems(*_SENT),
}


@router.post(
    "/v1/session",
    operation_id="sign_in",
    summary="Sign in with an API key",
    response_model=SessionSchema,
    responses=_BEGUN,
    openapi_extra=described(SignIn, {"key": "ppe_1a2b3c4d_..."}),
)
async def sign_in(request: Request, response: Response, access: AtGate) -> SessionSchema:
    """Begin a session: its cookie lets this browser in as the key does, until it is over or the key is revoked."""
    said = await json_body(request, SignIn)
    if access.keyring is None:
        return _told(request, access)
    _try(access.keyring, request)
    caller = access.keyring.caller(said.key)
    if caller is None:
        await note_refusal(access, request, Caller(), "UNAUTHENTICATED")
        raise Problem("UNAUTHENTICATED", "This is no key that is in force. `ppe key create` makes one.")
    return await _begun(request, response, access, caller)


@router.post(
    "/v1/session/user",
    operation_id="sign_in_user",
    summary="Sign in as a user",
    response_model=SessionSchema,
    responses=_BEGUN,
    openapi_extra=described(UserSignIn, {"name": "shift leader", "password": "correct horse battery"}),
)
async def sign_in_user(request: Request, response: Response, access: AtGate) -> SessionSchema:
    """Begin a session of a user, until it is over, the user is revoked or their password is changed elsewhere."""
    said = await json_body(request, UserSignIn)
    if access.keyring is None:
        return _told(request, access)
    _try(access.keyring, request)
    caller = await _entered(access.keyring, said.name, said.password)
    if caller is None:
        await note_refusal(access, request, Caller(), "UNAUTHENTICATED")
        raise Problem("UNAUTHENTICATED", "No user of this name has this password. `ppe user create` makes users.")
    return await _begun(request, response, access, caller)


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


@router.put(
    "/v1/session/password",
    operation_id="change_password",
    summary="Change one's own password",
    response_model=SessionSchema,
    responses={200: examples.answer(_EXAMPLE), **describe.problems("FORBIDDEN", *_SENT)},
    openapi_extra=described(NewPassword, {"password": "correct horse battery", "new": "staple the donkey"}),
)
async def change_password(request: Request, access: AtGate) -> SessionSchema:
    """Change the password of the user who is signed in at this browser. Their other sessions end."""
    found = access.keyring.signed_in(request.cookies.get(COOKIE, "")) if access.keyring else None
    if access.keyring is None or found is None:
        raise Problem("UNAUTHENTICATED", "Nobody is signed in at this browser: POST /v1/session begins a session.")
    caller, session = found
    if not session.confirmed(request.headers.get("x-csrf-token", "")):
        raise Problem("FORBIDDEN", "A password is changed by the service's own page, which sends X-CSRF-Token.")
    wanted = await json_body(request, NewPassword)
    if not access.keyring.is_user(caller):
        raise Problem("FORBIDDEN", "An API key has no password. `ppe user create` makes users.")
    _try(access.keyring, request)
    if await _entered(access.keyring, caller.name, wanted.password) is None:
        raise Problem("BODY_INVALID", "password: it is another one.")
    access.keyring.sessions.passed(_address(request))
    try:
        await anyio.to_thread.run_sync(access.keyring.change_password, session.key, wanted.new, caller)
    except ValueError as error:
        raise Problem("BODY_INVALID", f"new: {error}") from error
    return _told(request, access, caller, session)


async def _begun(request: Request, response: Response, access: Access, caller: Caller) -> SessionSchema:
    """Begin a caller's session, and write that down."""
    keyring, key = cast(Keyring, access.keyring), cast(str, caller.key)
    keyring.sessions.passed(_address(request))
    async with audit_of(request).doing(caller, "session.begin", _address(request)):
        cookie, begun = keyring.sessions.begin(key)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")
    return _told(request, access, caller, begun)


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _try(keyring: Keyring, request: Request) -> None:
    """Count a try to sign in, before it is known to fail: those that are made at once count as well.

    Raises:
        Problem: RATE_LIMITED, because too many failed.
    """
    if wait := keyring.sessions.wait(_address(request)):
        raise Problem(
            "RATE_LIMITED",
            "Too many keys and passwords that are none came from here: wait for Retry-After seconds.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    keyring.sessions.tried(_address(request))


async def _entered(keyring: Keyring, name: str, password: str) -> Caller | None:
    """Return the user of a name and password, or None. One is proved at a time: it takes a core and memory.

    Raises:
        Problem: RATE_LIMITED, because too many wait.
    """
    if keyring.proving.statistics().tasks_waiting >= _WAITING:
        raise Problem("RATE_LIMITED", "Too many sign in at once: try again.", headers={"Retry-After": "5"})
    return await anyio.to_thread.run_sync(keyring.entered, name, password, limiter=keyring.proving)


def _told(
    request: Request, access: Access, caller: Caller | None = None, session: Session | None = None
) -> SessionSchema:
    watching = request.app.state.desk is not None
    if access.keyring is None:
        return SessionSchema(
            needed=False,
            signed_in=True,
            name="",
            user=False,
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
        user=caller is not None and access.keyring.is_user(caller),
        role=next((role for scope, role in _ROLES if scope in scopes), None),
        scopes=[scope for scope in SCOPES if scope in scopes],
        csrf=session.csrf if session else None,
        expires_at=from_ms(access.keyring.ends_ms(session)) if session else None,
        watching=watching,
    )
