"""Headers that tell browsers to be careful with every answer."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection
from typing import Final

_ALWAYS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")
_NO_STORE: Final = (b"cache-control", b"no-store")
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def careful(path: str, said: Collection[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the headers that an answer lacks.

    Nothing of an answer is run, framed or handed to other sites, and what the API says is stored nowhere, unless the
    route said otherwise.

    Args:
        path: of the request.
        said: the names of the headers that the route has set, in lower case.
    """
    found = [*_ALWAYS, _POLICY] + ([_NO_STORE] if path.startswith("/v1/") else [])
    return [header for header in found if header[0] not in said]


def policy_of(page: str) -> str:
    """Return the Content-Security-Policy of a page: its own scripts by their hashes, files of this service, no more."""
    scripts = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(page))
    inline = "".join(f" 'sha256-{one}'" for one in scripts)
    return (
        f"default-src 'none'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
