"""``/v1/keys`` and ``/v1/audit``: who may ask, and what was done, for who has a key with the scope admin."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.api import describe
from service.api.bodies import PRINTED, Body, described, json_body
from service.api.gate import Access, caller_of
from service.api.instants import from_ms
from service.api.keyring import Keyring
from service.api.problems import Code, Problem
from service.keys import LONGEST_NAME, Entry, Key, Scope

router = APIRouter(tags=["Keys"])

_CODES: Final[tuple[Code, ...]] = (*describe.GUARDED, "METHOD_NOT_ALLOWED", "STORE_UNAVAILABLE", "INTERNAL")
_KEY: Final[dict[str, Any]] = {
    "id": "1a2b3c4d",
    "name": "gate camera",
    "scopes": ["detect"],
    "created_at": "2026-03-02T13:00:00.000Z",
    "used_at": "2026-03-02T14:00:00.000Z",
    "revoked_at": None,
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
    """An API key, without its secret."""

    id: str = Field(description="The part of the key that is no secret.")
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
            name=key.name,
            scopes=list(key.scopes),
            created_at=from_ms(key.created_ms),
            used_at=None if key.used_ms is None else from_ms(key.used_ms),
            revoked_at=None if key.revoked_ms is None else from_ms(key.revoked_ms),
        )


class KeysSchema(BaseModel):
    """All keys, oldest first."""

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
    summary="List API keys",
    responses={200: _example({"keys": [_KEY]}), **describe.problems(*_CODES)},
)
def keys(request: Request) -> KeysSchema:
    """List every key, revoked ones too, without their secrets."""
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
    summary="Revoke an API key",
    responses={
        200: _example({**_KEY, "revoked_at": "2026-03-02T15:00:00.000Z"}),
        **describe.problems("KEY_NOT_FOUND", "PARAMETER_INVALID", *_CODES),
    },
)
def revoke_key(key: Annotated[str, Path(description="The key's id.")], request: Request) -> KeySchema:
    """Take a key out of force, for good, from the next request on. It stays in the list."""
    revoked = _keyring(request).revoke(key, caller_of(request))
    if revoked is None:
        raise Problem("KEY_NOT_FOUND", f"There is no key {key[:100]}; GET /v1/keys lists them.")
    return KeySchema.of(revoked)


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
