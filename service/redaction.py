"""Nothing secret in a log line, whoever wrote it: the one filter that every line passes, as the text that it became."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Final

HIDDEN: Final = "***"
SHORTEST: Final = 6
"""Characters of a secret that is looked for as it is; a shorter one would make holes in ordinary words."""
_OURS: Final = re.compile(r"ppe_([0-9a-fA-F]{8})_[0-9a-fA-F]{16,}")
_WEBHOOK: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,}")
_SCHEME: Final = re.compile(r"\b(bearer|basic|digest)(\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_LOGIN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)(?:\\.|[^\s\"'<>\\])*@")
_NAMED: Final = re.compile(
    r"((?:password|passwd|passphrase|secret|token|api[-_]?key|authorization)"
    r"(?:\\?[\"'])?\s*[=:]\s*)"
    r"(\\\"(?:(?!\\\").)*\\\"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[^\s,;&\"')\]}]+)",
    re.IGNORECASE,
)


class Redaction:
    """Replaces secrets in a text: keys, passwords in addresses, what is named as a secret, and what is known as one.

    Args:
        secrets: texts that are secret whatever they look like.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        told = {secret for secret in secrets if len(secret) >= SHORTEST}
        told |= {written(secret)[1:-1] for secret in told for written in (json.dumps, repr)}  # as lines hold them
        longest_first = sorted(told, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if told else None

    def __call__(self, line: str) -> str:
        """Return the line without them."""
        if self._known:
            line = self._known.sub(HIDDEN, line)
        line = _OURS.sub(rf"ppe_\1_{HIDDEN}", line)
        line = _WEBHOOK.sub(f"whsec_{HIDDEN}", line)
        line = _SCHEME.sub(rf"\1\2{HIDDEN}", line)
        line = _LOGIN.sub(rf"\1{HIDDEN}@", line)
        return _NAMED.sub(_hide, line)


def _hide(found: re.Match[str]) -> str:
    """Hide a value between the quotes that it stands in, so that a JSON line stays one."""
    name, value = found.groups()
    if value.startswith('\\"'):  # inside a JSON text
        return f'{name}\\"{HIDDEN}\\"'
    quote = value[0] if value[0] in "\"'" else '"' if name.rstrip(" :").endswith('"') and "\\" not in name else ""
    return f"{name}{quote}{HIDDEN}{quote}"
