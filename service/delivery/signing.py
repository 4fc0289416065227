"""Secrets of the Standard Webhooks specification: ``whsec_`` and 24 to 64 random bytes in base64."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Final

from standardwebhooks import Webhook

PREFIX: Final = "whsec_"


def new_secret() -> str:
    """Return a new secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signer(secret: str) -> Webhook:
    """Return what signs and verifies with a secret.

    Raises:
        ValueError: it is no such secret; the sentence does not repeat it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("a webhook secret is 'whsec_' and 24 to 64 bytes in base64, as 'ppe webhook secret' prints it")
    return Webhook(key)
