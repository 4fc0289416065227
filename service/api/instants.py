"""Points in time as the API takes and gives them: RFC 3339 in, UTC with milliseconds out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_LAST: Final = 9998
"""The years from 1970 to this one can be answered as well, with a day or so added or taken away."""
_EXAMPLE: Final = "2026-03-02T13:03:07Z"


def to_ms(text: object) -> int:
    """Return an RFC 3339 time as Unix milliseconds; what lies between two of them is the later one.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError(f"say a time with its offset, such as {_EXAMPLE} (in a URL a + is written %2B)")
    try:
        said = datetime.fromisoformat(text.upper())
        at = said - _EPOCH
    except (ValueError, OverflowError) as error:
        raise ValueError(f"there is no such time ({error})") from error
    if not _EPOCH.year <= said.year <= _LAST:
        raise ValueError(f"say a time of the years {_EPOCH.year} to {_LAST}")
    return -(-at // timedelta(milliseconds=1))


def from_ms(wall_ms: int) -> str:
    """Return Unix milliseconds as RFC 3339, UTC."""
    at = _EPOCH + timedelta(milliseconds=wall_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


AskedInstant = Annotated[
    int, BeforeValidator(to_ms), WithJsonSchema({"type": "string", "format": "date-time", "examples": [_EXAMPLE]})
]
"""A point in time in a request: Unix milliseconds, said as RFC 3339."""
