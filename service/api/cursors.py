"""Where a page of alerts ended, as an opaque text: it names a place in the list, not a page, so nothing shifts it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from service.api.problems import Problem
from service.inquiry import Place

_PLACE: Final = re.compile(r"1 (-?\d{1,15}) ([0-9A-Za-z_-]{1,64})")
"""The cursor's version, Unix ms, alert id."""


def cursor(place: Place) -> str:
    """Return the cursor of the page behind a place."""
    text = f"1 {place[0]} {place[1]}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(cursor: str) -> Place:
    """Return the place that a cursor names.

    Raises:
        Problem: PARAMETER_INVALID, when it is none of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise Problem("PARAMETER_INVALID", "cursor: this is no cursor; take next_cursor of the page before as it is")
    return int(found[1]), found[2]
