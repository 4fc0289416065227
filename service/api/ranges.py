"""A part of a body, as browsers ask for it to jump in a film (RFC 9110, 14)."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from service.api.problems import Problem

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


def ranged(body: bytes, media_type: str, headers: dict[str, str], asked: str | None, only_if: str | None) -> Response:
    """Return a body, or the part of it that is asked for.

    Args:
        headers: of the answer, its ETag among them.
        asked: the request's Range; several parts at once, other units and nonsense are answered with the whole.
        only_if: the request's If-Range: with another tag than this one, the whole.

    Raises:
        Problem: RANGE_NOT_SATISFIABLE, when the part begins behind the end.
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    part = None if only_if is not None and only_if != headers["ETag"] else _part(asked, len(body))
    if part is None:
        return Response(body, media_type=media_type, headers=headers)
    first, last = part
    if first > last:
        raise Problem(
            "RANGE_NOT_SATISFIABLE",
            f"There are {len(body)} bytes; ask for some of them, or for all without Range.",
            headers={"Content-Range": f"bytes */{len(body)}"},
        )
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Response(body[first : last + 1], 206, media_type=media_type, headers=headers)


def _part(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte that are asked for, the first behind the last where there are none of them."""
    found = _RANGE.fullmatch(asked or "")
    if found is None or not any(found.groups()):
        return None
    begins, ends = found.groups()
    if not begins:
        return max(size - int(ends), 0), size - 1 if int(ends) else -1
    if ends and int(ends) < int(begins):
        return None
    first = int(begins)
    return (first, min(int(ends), size - 1) if ends else size - 1) if first < size else (size, -1)
