"""A camera asks for a login and gets an answer: HTTP's Basic and Digest schemes (RFC 7617, RFC 7616), RTSP's too."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Final

_FIELD: Final = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256"}


def answer(challenges: Sequence[str], user: str, password: str, method: str, target: str) -> str | None:
    """Return the Authorization header's value, or None when no challenge can be answered.

    Digest is preferred: it does not send the password.

    Args:
        challenges: the values of the WWW-Authenticate headers.
        user: name to log in with.
        password: its password.
        method: of the request, such as DESCRIBE.
        target: of the request, as it stands in its first line.
    """
    for challenge in challenges:
        scheme, _, rest = challenge.strip().partition(" ")
        if scheme.lower() == "digest":
            fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
            if fields.get("algorithm", "MD5").upper() in _HASHES:
                return _digest(fields, user, password, method, target)
    if any(challenge.strip().lower().startswith("basic") for challenge in challenges):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return None


def _digest(fields: dict[str, str], user: str, password: str, method: str, target: str) -> str:
    name = _HASHES[fields.get("algorithm", "MD5").upper()]

    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    who, what = hashed(f"{user}:{realm}:{password}"), hashed(f"{method}:{target}")
    shown = {"username": _quotable(user), "realm": realm, "nonce": nonce, "uri": target}
    bare: dict[str, str] = {}
    if "auth" in [choice.strip() for choice in fields.get("qop", "").split(",")]:
        shown["cnonce"] = secrets.token_hex(8)
        bare = {"qop": "auth", "nc": "00000001"}
        shown["response"] = hashed(f"{who}:{nonce}:00000001:{shown['cnonce']}:auth:{what}")
    else:
        shown["response"] = hashed(f"{who}:{nonce}:{what}")
    if "opaque" in fields:
        shown["opaque"] = fields["opaque"]
    if "algorithm" in fields:
        bare["algorithm"] = fields["algorithm"]
    return "Digest " + ", ".join([f'{k}="{v}"' for k, v in shown.items()] + [f"{k}={v}" for k, v in bare.items()])


def _quotable(text: str) -> str:
    """Return text as it stands between quotes, on one line: a name can't add headers of its own."""
    return re.sub(r'([\\"])', r"\\\1", re.sub(r"[\x00-\x1f\x7f]", "", text))
