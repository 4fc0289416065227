"""Small JSON bodies: read within bounds, refused with words."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.api.instants import AskedInstant
from service.api.problems import Problem, words
from service.events import plain

MOST_BYTES: Final = 16 * 1024
"""Of a body; what is said of an alert is a sentence or two."""
MOST_WORDS: Final = 1000
"""Characters of a note or reason."""


class Body(BaseModel):
    """What is sent as JSON. An unknown field is refused, so that a misspelt one can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(Body):
    """What everything that is said of an alert may have."""

    by: str = Field(
        default="",
        max_length=100,
        description="Who says it, as they call themselves; without it, the name of the API key.",
        examples=["Kim"],
    )

    @field_validator("by", "note", "reason", mode="before", check_fields=False)
    @classmethod
    def _one_line(cls, text: object) -> object:
        return plain(text, len(text)) if isinstance(text, str) else text


class Acknowledgement(Said):
    """Somebody takes care of it."""

    by: str = Field(
        default="",
        max_length=100,
        description="Who takes care of it; without it, the name of the API key. Without a key it is needed.",
        examples=["Kim"],
    )
    note: str = Field(default="", max_length=MOST_WORDS, description="A note.", examples=["Sent back for a helmet."])


class Snooze(Said):
    """Nobody need look at it until then."""

    until: AskedInstant = Field(description="Later than now, and at most 7 days.")


class FalseAlarm(Said):
    """It was none."""

    reason: str = Field(min_length=1, max_length=MOST_WORDS, description="Why.", examples=["A statue."])


PRINTED: Final = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"
"""Text that is a name: a control character stands in none, and not every database takes them."""

_Body = TypeVar("_Body", bound=Body)


async def json_body(request: Request, shape: type[_Body]) -> _Body:
    """Read a request's JSON body.

    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE (only application/json is taken, which no page of another origin can send),
            BODY_TOO_LARGE, BODY_TIMEOUT, BODY_INVALID.
    """
    try:
        return shape.model_validate_json(await json_content(request, MOST_BYTES))
    except ValidationError as error:
        raise Problem("BODY_INVALID", words(error.errors(), list(shape.model_fields))) from error


async def json_content(request: Request, most: int) -> bytes:
    """Read a request's body, which says that it is JSON.

    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, BODY_TIMEOUT.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("UNSUPPORTED_MEDIA_TYPE", "Send the body as Content-Type: application/json.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise Problem("BODY_TOO_LARGE", f"This JSON body may have {most} bytes.")
    return bytes(content)


def described(shape: type[Body], example: dict[str, Any]) -> dict[str, Any]:
    """Return a body's part of the OpenAPI document."""
    content = {"schema": shape.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
