"""Who comes in: a key with the scope that a route needs, not more often than it may. Start with `needs`."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, cast
from urllib.parse import quote

import anyio.to_thread
from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope as ASGIScope

from service.api.audit import Audit
from service.api.hosts import Hosts
from service.api.keyring import Caller, Keyring
from service.api.problems import Problem
from service.api.rates import Rates
from service.api.sessions import COOKIE
from service.keys import Scope

_READING: Final = frozenset({"GET", "HEAD"})
_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="bearer", description="An API key: `ppe key create`.")
_HEADER: Final = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="key", description="The same key, for clients that set headers."
)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask.

    Attributes:
        keyring: the keys; None where the service is open.
        hosts: the names under which it may be asked; None takes every name.
        rates: how often a key may ask.
        audit: where it is written down.
    """

    keyring: Keyring | None
    hosts: Hosts | None
    rates: Rates
    audit: Audit


def needs(scope: Scope, *, where_keyed: bool = False) -> Callable[..., Awaitable[None]]:
    """Return the dependency that lets in whose key or session has a scope, and leaves the caller in the request.

    Where the service is open, everybody is let in, but not to what needs `admin`; to that too with `where_keyed`.
    """

    async def check(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        header: Annotated[str | None, Security(_HEADER)],
    ) -> None:
        await let_in(request, scope, bearer.credentials if bearer else header or "", where_keyed=where_keyed)

    return check


async def let_in(request: Request, scope: Scope, token: str, *, where_keyed: bool = False) -> None:
    """Let in whose key has a scope, and leave the caller in the request's state; see `needs`.

    Raises:
        Problem: UNAUTHENTICATED, RATE_LIMITED or FORBIDDEN.
    """
    access = cast(Access, request.app.state.access)
    if access.keyring is None and (where_keyed or scope != "admin"):
        request.state.caller = Caller()
        return
    caller = await _caller(access, request, token)
    if caller is None:
        await note_refusal(access, request, Caller(), "UNAUTHENTICATED")
        raise Problem(
            "UNAUTHENTICATED",
            "Send an API key that is in force, as Authorization: Bearer KEY or as X-API-Key: KEY. "
            "`ppe key create` makes one.",
            headers={"WWW-Authenticate": 'Bearer realm="ppe"'},
        )
    looks = caller.session is not None and request.method in _READING  # a screen asks for pictures all the time
    if wait := 0.0 if looks else access.rates.wait(caller.key or ""):
        raise Problem(
            "RATE_LIMITED",
            "This key asks more often than it may: wait for Retry-After seconds.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    if scope not in caller.scopes:
        await note_refusal(access, request, caller, "FORBIDDEN")
        raise Problem(
            "FORBIDDEN",
            f"This needs a key with the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer realm="ppe", error="insufficient_scope", scope="{scope}"'},
        )
    request.state.caller = caller
    if access.keyring and access.keyring.due(caller):
        await anyio.to_thread.run_sync(access.keyring.used, caller)


async def _caller(access: Access, request: Request, token: str) -> Caller | None:
    """Return whose key came, or, where none did, who is signed in at this browser.

    Raises:
        Problem: FORBIDDEN, where a session would change something and the page did not repeat its token.
    """
    if access.keyring is None:
        return None
    found = None if token else access.keyring.signed_in(request.cookies.get(COOKIE, ""))
    if found is None:
        return access.keyring.caller(token)
    caller, session = found
    if request.method not in _READING and not session.confirmed(request.headers.get("x-csrf-token", "")):
        await note_refusal(access, request, caller, "FORBIDDEN")
        raise Problem("FORBIDDEN", "What changes something is sent by the service's own page, with X-CSRF-Token.")
    return caller


def still_in(scope: ASGIScope) -> bool:
    """Tell whether who was let in would be let in now: whose key was revoked since would not."""
    keyring = cast(Access, scope["app"].state.access).keyring
    return keyring is None or keyring.in_force(cast(Caller, scope["state"]["caller"]))


async def named_early(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_HEADER)],
) -> None:
    """Let in whose key stands in a header or, as other servers' clients have it, in the address.

    Whoever names it there not at all is let in by `named_late`, by a key in the body.
    """
    token = bearer.credentials if bearer else header or request.query_params.get("api_key", "")
    if token or cast(Access, request.app.state.access).keyring is None:
        await let_in(request, "detect", token)


async def named_late(request: Request, token: str) -> None:
    """Let in whose key stands in the body, if `named_early` has not.

    Raises:
        Problem: see `let_in`.
    """
    if not hasattr(request.state, "caller"):
        await let_in(request, "detect", token)


def caller_of(request: Request) -> Caller:
    """Return who asks; the route needs a scope."""
    return cast(Caller, request.state.caller)


def audit_of(request: Request) -> Audit:
    """Return the application's audit log."""
    return cast(Access, request.app.state.access).audit


async def note_refusal(access: Access, request: Request, caller: Caller, outcome: str) -> None:
    """Note a refusal with where it came from. The path is percent-encoded: it can't write lines of its own."""
    address = request.client.host if request.client else "?"
    path = quote(request.url.path)[:100]
    await anyio.to_thread.run_sync(
        access.audit.refused, caller, f"{request.method[:20]} {path} from {address}", outcome
    )
