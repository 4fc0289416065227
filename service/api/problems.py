"""Everything that can go wrong over HTTP: a closed list of stable codes, answered as RFC 9457 problem details."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

Code = Literal[
    "EMPTY_FILE",
    "UNSUPPORTED_IMAGE",
    "IMAGE_UNREADABLE",
    "IMAGE_TOO_LARGE",
    "IMAGE_DIMENSIONS",
    "NO_IMAGE",
    "TOO_MANY_IMAGES",
    "ALL_IMAGES_BAD",
    "BODY_TOO_LARGE",
    "BODY_TIMEOUT",
    "MULTIPART_INVALID",
    "UNSUPPORTED_MEDIA_TYPE",
    "NOT_ACCEPTABLE",
    "PARAMETER_INVALID",
    "BODY_INVALID",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "RATE_LIMITED",
    "HOST_REFUSED",
    "NOT_FOUND",
    "NOT_WATCHING",
    "ALERT_NOT_FOUND",
    "EVIDENCE_PENDING",
    "EVIDENCE_GONE",
    "NO_CLIP",
    "RANGE_NOT_SATISFIABLE",
    "CAMERA_NOT_FOUND",
    "NO_PICTURE",
    "NOT_COMPARED",
    "SITE_INVALID",
    "SITE_CHANGED",
    "SITE_UNWRITABLE",
    "MESSAGE_NOT_FOUND",
    "ENDPOINT_NOT_FOUND",
    "KEY_NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "BUSY",
    "LISTENERS_FULL",
    "MODEL_UNAVAILABLE",
    "STORE_UNAVAILABLE",
    "INTERNAL",
]


class Kind(NamedTuple):
    """What is always the same about one code."""

    status: int
    title: str


KINDS: Final[dict[Code, Kind]] = {
    "EMPTY_FILE": Kind(422, "The file is empty"),
    "UNSUPPORTED_IMAGE": Kind(415, "The file is no picture of a kind that is taken"),
    "IMAGE_UNREADABLE": Kind(422, "The picture is damaged"),
    "IMAGE_TOO_LARGE": Kind(413, "The picture is too large"),
    "IMAGE_DIMENSIONS": Kind(422, "The picture's shape can't be judged"),
    "NO_IMAGE": Kind(422, "The request holds no picture"),
    "TOO_MANY_IMAGES": Kind(413, "The request holds too many pictures"),
    "ALL_IMAGES_BAD": Kind(422, "None of the pictures could be judged"),
    "BODY_TOO_LARGE": Kind(413, "The request's body is too large"),
    "BODY_TIMEOUT": Kind(408, "The request's body came too slowly"),
    "MULTIPART_INVALID": Kind(400, "The multipart body is malformed"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "The body's media type is not taken"),
    "NOT_ACCEPTABLE": Kind(406, "The answer can't be given in the form that Accept asks for"),
    "PARAMETER_INVALID": Kind(422, "A parameter is invalid"),
    "BODY_INVALID": Kind(422, "The JSON body is invalid"),
    "UNAUTHENTICATED": Kind(401, "An API key is needed"),
    "FORBIDDEN": Kind(403, "The API key may not do this"),
    "RATE_LIMITED": Kind(429, "The API key asks too often"),
    "HOST_REFUSED": Kind(421, "The service is not asked under this name"),
    "NOT_FOUND": Kind(404, "There is nothing at this path"),
    "NOT_WATCHING": Kind(404, "This service watches no cameras"),
    "ALERT_NOT_FOUND": Kind(404, "There is no such alert"),
    "EVIDENCE_PENDING": Kind(202, "The alert's clip is not there yet"),
    "EVIDENCE_GONE": Kind(410, "The alert has no such evidence any more"),
    "NO_CLIP": Kind(404, "The alert has no clip"),
    "RANGE_NOT_SATISFIABLE": Kind(416, "The clip has no such part"),
    "CAMERA_NOT_FOUND": Kind(404, "There is no such camera"),
    "NO_PICTURE": Kind(404, "The camera has no picture yet"),
    "NOT_COMPARED": Kind(503, "The comparison came to no end"),
    "SITE_INVALID": Kind(422, "The site can't be watched like that"),
    "SITE_CHANGED": Kind(409, "The site file is another one by now"),
    "SITE_UNWRITABLE": Kind(409, "The site file can't be changed"),
    "MESSAGE_NOT_FOUND": Kind(404, "There is no such message"),
    "ENDPOINT_NOT_FOUND": Kind(404, "There is no such endpoint"),
    "KEY_NOT_FOUND": Kind(404, "There is no such API key"),
    "METHOD_NOT_ALLOWED": Kind(405, "This path does not take this method"),
    "BUSY": Kind(503, "Too many requests wait already"),
    "LISTENERS_FULL": Kind(503, "Too many listen to events already"),
    "MODEL_UNAVAILABLE": Kind(503, "The model takes no pictures now"),
    "STORE_UNAVAILABLE": Kind(503, "The store can't be read or written now"),
    "INTERNAL": Kind(500, "The service failed"),
}

MEDIA_TYPE: Final = "application/problem+json"


class ProblemSchema(BaseModel):
    """Problem details (RFC 9457). Decide by `code`; `detail` is for people and may change."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:ppe-monitor:problem: and the code in lower case, with hyphens.")
    title: str = Field(description="The same for every problem of this code.")
    status: int
    detail: str = Field(description="What is wrong with this request and how to mend it.")
    code: Code
    request_id: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """A request that ends with a problem instead of an answer.

    Args:
        code: which one.
        detail: what is wrong with this request and how to mend it.
        headers: response headers beside the usual ones.
        members: extension members of the problem's body.
    """

    def __init__(self, code: Code, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        self.code: Code = code
        self.detail = detail
        self.headers = headers
        self.members = members
        super().__init__(detail)


def words(errors: Sequence[Mapping[str, Any]], known: Sequence[str]) -> str:
    """Return what a validation found, in words that name the field.

    Args:
        errors: as pydantic lists them.
        known: the names that there are, for one that is unknown.
    """
    return "; ".join(f"{_field(error)}: {_mend(error, known)}" for error in errors[:5])


def _field(error: Mapping[str, Any]) -> str:
    return str(error["loc"][-1])[:40] if error["loc"] else "body"


def _mend(error: Mapping[str, Any], known: Sequence[str]) -> str:
    """Return how to mend it, where pydantic's own words tell a regular expression or less."""
    if error["type"] == "extra_forbidden":
        return f"there is no such name, only {', '.join(known)}"
    if error["type"] == "string_pattern_mismatch" and _field(error) == "require":
        return "say helmet, vest or helmet,vest"
    return str(error["msg"]).removeprefix("Value error, ")


def urn(code: Code) -> str:
    """Return the URI that names a kind of problem."""
    return f"urn:ppe-monitor:problem:{code.lower().replace('_', '-')}"


def problem_response(problem: Problem, request_id: str) -> Response:
    """Return the response that tells a client about a problem."""
    kind = KINDS[problem.code]
    body = {
        "type": urn(problem.code),
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
        **problem.members,
    }
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, kind.status, headers=problem.headers, media_type=MEDIA_TYPE)
