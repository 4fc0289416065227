"""What the shapes of other people's detection servers have in common: pictures in, plain boxes out.

Their clients know boxes and nothing of people or states; `POST /v1/detect` says more about the same pictures.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Iterable
from typing import Final, cast

from fastapi import Request

from service.api.judging import Clock, Judge, Question
from service.api.problems import Code, Problem
from service.api.schemas import JudgedSchema
from service.api.uploads import Upload, UploadLimits

LEAST: Final = 0.05
"""No box of a smaller confidence is reported, whatever a client asks for."""


def from_base64(text: str) -> Upload:
    """Read a picture that came as base64, with or without the head of a data URI.

    Raises:
        Problem: IMAGE_UNREADABLE, it is none.
    """
    content = text.partition("base64,")[2] if text.startswith("data:") else text
    try:
        read = base64.b64decode(content, validate=False)
    except (binascii.Error, ValueError) as error:
        raise Problem(
            "IMAGE_UNREADABLE", "The picture is not base64: send a file's bytes encoded as base64."
        ) from error
    return Upload(read, len(read))


def floor(asked: float | None, otherwise: float) -> float:
    """Return the smallest confidence of boxes that a client wants; a value above 1 is a percentage."""
    value = otherwise if asked is None else asked / 100 if asked > 1 else asked
    return min(1.0, max(LEAST, value))


async def judged(request: Request, pictures: Iterable[Upload], least: float) -> tuple[list[JudgedSchema], Clock]:
    """Judge pictures for a client that knows no partly good answer.

    Args:
        request: it knows the judge and the limits.
        pictures: in their order.
        least: smallest confidence of boxes that are wanted.

    Raises:
        Problem: a picture can't be judged, or there are too many.
    """
    clock = Clock()
    judge = cast(Judge, request.app.state.judge)
    limits = cast(UploadLimits, request.app.state.upload_limits)
    listed = list(pictures)
    if len(listed) > limits.images:
        raise Problem("TOO_MANY_IMAGES", f"At most {limits.images} pictures a request are taken.")
    answered = []
    for entry in await judge.entries(_each(listed), Question(floor=least), clock):
        if not isinstance(entry, JudgedSchema):
            which = f"Picture {entry.index}: " if len(listed) > 1 else ""
            raise Problem(cast(Code, entry.error.code), which + entry.error.detail)
        answered.append(entry)
    return answered, clock


async def _each(pictures: list[Upload]) -> AsyncGenerator[Upload, None]:
    for picture in pictures:
        yield picture
