"""``/v1/keys``, ``/v1/users`` and ``/v1/audit``: who may ask, and what was done, for who has the scope admin."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, cast

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe
from service.api.bodies import PRINTED, Body, described, json_body
from service.api.gate import Access, caller_of
from service.api.instants import from_ms
from service.api.keyring import Keyring
from service.api.problems import Code, Problem
from service.keys import LONGEST_NAME, Entry, Key, Role, Scope
from service.passwords import LONGEST, SHORTEST

router = APIRouter(tags=["Keys"])

_CODES: Final[tuple[Code, ...]] = (*describe.GUARDED, "METHOD_NOT_ALLOWED", "STORE_UNAVAILABLE", "INTERNAL")
_KEY: Final[dict[str, Any]] = {
    "id": "1a2b3c4d",
    "kind": "key",
    "name": "gate camera",
    "scopes": ["detect"],
    "created_at": "2026-03-02T13:00:00.000Z",
    "used_at": "2026-03-02T14:00:00.000Z",
    "revoked_at": None,
}
_USER: Final[dict[str, Any]] = {
    **_KEY,
    "id": "5e6f7a8b",
    "kind": "user",
    "name": "shift leader",
    "scopes": ["detect", "operate"],
}
_ENTRY: Final[dict[str, Any]] = {
    "number": 17,
    "at": "2026-03-02T13:03:40.000Z",
    "key": "5e6f7a8b",
    "name": "office",
    "action": "alert.acknowledge",
    "object": "3f0c9a52d17be846",
    "outcome": "done",
    "times": 1,
}


class KeySchema(BaseModel):
    """An API key or a user, without their secret."""

    id: str = Field(description="The part of the key that is no secret.")
    kind: Literal["key", "user"] = Field(description="A key is sent by programs; a user signs in at the screen.")
    name: str
    scopes: list[Scope]
    created_at: str
    used_at: str | None = Field(description="When it was used last, to the hour; null when never.")
    revoked_at: str | None = Field(description="When it was revoked; null while it is in force.")

    @classmethod
    def of(cls, key: Key) -> KeySchema:
        """Present a key."""
        return cls(
            id=key.id,
            kind="key" if key.password is None else "user",
            name=key.name,
            scopes=list(key.scopes),
            created_at=from_ms(key.created_ms),
            used_at=None if key.used_ms is None else from_ms(key.used_ms),
            revoked_at=None if key.revoked_ms is None else from_ms(key.revoked_ms),
        )


class KeysSchema(BaseModel):
    """All keys and users, oldest first."""

    keys: list[KeySchema]


class MadeKeySchema(KeySchema):
    """A key that was made just now."""

    token: str = Field(description="The key itself. It is shown this once and kept nowhere.")


class AuditEntrySchema(BaseModel):
    """A line of the audit log."""

    number: int
    at: str
    key: str | None = Field(description="Id of the key that asked; null when none did.")
    name: str = Field(description="Of the key, or who else it was.")
    action: str
    object: str = Field(description="What it was done to.")
    outcome: str = Field(description="done, or the code of the problem that it ended with.")
    times: int = Field(description="How many such there were; more than one only of what was refused.")

    @classmethod
    def of(cls, number: int, entry: Entry) -> AuditEntrySchema:
        """Present a line."""
        return cls(
            number=number,
            at=from_ms(entry.at_ms),
            key=entry.key,
            name=entry.name,
            action=entry.action,
            object=entry.object,
            outcome=entry.outcome,
            times=entry.times,
        )


class AuditSchema(BaseModel):
    """A page of the audit log, newest first."""

    entries: list[AuditEntrySchema]


class NewKey(Body):
    """Whose key it is to be, and what it may."""

    name: str = Field(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=PRINTED,
        description="Whose key it is, on one line.",
        examples=["gate camera"],
    )
    scopes: list[Scope] = Field(min_length=1, max_length=4, description="What it may.", examples=[["detect"]])


class NewUser(Body):
    """Who it is, and what they may."""

    name: str = Field(
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=PRINTED,
        description="By which they sign in, in upper or lower case.",
        examples=["shift leader"],
    )
    role: Role = Field(
        description="viewer (read, and judge pictures), operator (acknowledge and mark alerts too) or admin (all)."
    )
    password: str = Field(min_length=SHORTEST, max_length=LONGEST, description="Their first one.")


class UserPassword(Body):
    """A user's password from now on."""

    password: str = Field(min_length=SHORTEST, max_length=LONGEST, description="It.")


class AuditQuery(BaseModel):
    """Which lines are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(default=100, ge=1, le=1000, description="Most lines.")
    before: int | None = Field(
        default=None, ge=0, lt=2**63, description="Only lines with smaller numbers: the next page."
    )


def _keyring(request: Request) -> Keyring:
    """Return the keys; where there are none, nobody has the scope that leads here."""
    return cast(Keyring, cast(Access, request.app.state.access).keyring)


def _example(value: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"example": value}}}


@router.get(
    "/v1/keys",
    operation_id="list_keys",
    summary="List API keys and users",
    responses={200: _example({"keys": [_KEY]}), **describe.problems(*_CODES)},
)
def keys(request: Request) -> KeysSchema:
    """List every key and user, revoked ones too, without their secrets."""
    return KeysSchema(keys=[KeySchema.of(key) for key in _keyring(request).listed()])


@router.post(
    "/v1/keys",
    operation_id="create_key",
    summary="Make an API key",
    response_model=MadeKeySchema,
    responses={
        200: _example({**_KEY, "used_at": None, "token": f"ppe_1a2b3c4d_{'0' * 64}"}),
        **describe.problems("BODY_INVALID", "BODY_TOO_LARGE", "BODY_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE", *_CODES),
    },
    openapi_extra=described(NewKey, {"name": "gate camera", "scopes": ["detect"]}),
)
async def create_key(request: Request) -> MadeKeySchema:
    """Make a key. The answer holds it, once."""
    wanted = await json_body(request, NewKey)
    keyring, by = _keyring(request), caller_of(request)
    try:
        token, key = await anyio.to_thread.run_sync(keyring.make, wanted.name, wanted.scopes, by)
    except ValueError as error:
        raise Problem("BODY_INVALID", f"name: {error}") from error
    return MadeKeySchema(**KeySchema.of(key).model_dump(), token=token)


@router.delete(
    "/v1/keys/{key}",
    operation_id="revoke_key",
    summary="Revoke an API key, or a user",
    responses={
        200: _example({**_KEY, "revoked_at": "2026-03-02T15:00:00.000Z"}),
        **describe.problems("KEY_NOT_FOUND", "PARAMETER_INVALID", *_CODES),
    },
)
def revoke_key(key: Annotated[str, Path(description="The key's id.")], request: Request) -> KeySchema:
    """Take a key or user out of force, for good, from the next request on. They stay in the list."""
    revoked = _keyring(request).revoke(key, caller_of(request))
    if revoked is None:
        raise Problem("KEY_NOT_FOUND", f"There is no key {key[:100]}; GET /v1/keys lists them.")
    return KeySchema.of(revoked)


@router.post(
    "/v1/users",
    operation_id="create_user",
    summary="Add a user",
    response_model=KeySchema,
    responses={
        200: _example({**_USER, "used_at": None}),
        **describe.problems("BODY_INVALID", "BODY_TOO_LARGE", "BODY_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE", *_CODES),
    },
    openapi_extra=described(NewUser, {"name": "shift leader", "role": "operator", "password": "correct horse battery"}),
)
async def create_user(request: Request) -> KeySchema:
    """Add somebody who signs in at the screen with a name and a password. `GET /v1/keys` lists them as well."""
    wanted = await json_body(request, NewUser)
    add, by = _keyring(request).add_user, caller_of(request)
    try:
        made = await anyio.to_thread.run_sync(add, wanted.name, wanted.role, wanted.password, by)
    except ValueError as error:
        raise Problem("BODY_INVALID", f"{error}") from error
    return KeySchema.of(made)


@router.put(
    "/v1/users/{user}/password",
    operation_id="set_password",
    summary="Give a user another password",
    response_model=KeySchema,
    responses={
        200: _example(_USER),
        **describe.problems(
            "KEY_NOT_FOUND",
            "PARAMETER_INVALID",
            "BODY_INVALID",
            "BODY_TOO_LARGE",
            "BODY_TIMEOUT",
            "UNSUPPORTED_MEDIA_TYPE",
            *_CODES,
        ),
    },
    openapi_extra=described(UserPassword, {"password": "correct horse battery"}),
)
async def set_password(user: Annotated[str, Path(description="The user's id.")], request: Request) -> KeySchema:
    """Give a user who forgot theirs another password. Their sessions end."""
    wanted = await json_body(request, UserPassword)
    change, by = _keyring(request).change_password, caller_of(request)
    try:
        changed = await anyio.to_thread.run_sync(change, user, wanted.password, by)
    except ValueError as error:
        raise Problem("BODY_INVALID", f"password: {error}") from error
    if changed is None:
        raise Problem("KEY_NOT_FOUND", f"There is no user {user[:100]}; GET /v1/keys lists them.")
    return KeySchema.of(changed)


@router.get(
    "/v1/audit",
    operation_id="list_audit",
    summary="List what was done and refused, newest first",
    responses={200: _example({"entries": [_ENTRY]}), **describe.problems("PARAMETER_INVALID", *_CODES)},
)
def audit(query: Annotated[AuditQuery, Query()], request: Request) -> AuditSchema:
    """List lines of the audit log."""
    found = _keyring(request).noted(query.limit, query.before)
    return AuditSchema(entries=[AuditEntrySchema.of(number, entry) for number, entry in found])
