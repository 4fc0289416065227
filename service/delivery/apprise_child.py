"""The process that posts one letter: ``python -m service.delivery.apprise_child``, started by `apprise_poster`.

Apprise speaks to more than a hundred services, each in its own way: a plugin that hangs can't be interrupted in a
thread, and what plugins log holds the addresses with their tokens. A process can be killed, and this one is heard only
by a number: what it has to say is its exit code.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import resource
import sys
import warnings
from typing import Any, Final

TAKEN: Final = 0
FAILED: Final = 10
NO_ADDRESS: Final = 11
"""Apprise knows no service of such an address, or it lacks a part."""
ABSENT: Final = 12
"""Apprise is not installed."""
SEVERAL: Final = 13
"""The address has several receivers: when one of them fails, the others would get each letter again and again."""


def main() -> int:
    """Read an order from stdin, carry it out, and return how that went."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the address
    order = json.load(sys.stdin)
    try:
        import apprise
        from apprise.attachment.memory import AttachMemory
    except ImportError:
        return ABSENT
    asset = apprise.AppriseAsset(async_mode=False, app_id="PPE Monitor", app_desc="PPE Monitor")
    service = apprise.Apprise(asset=asset)
    if not service.add(order["url"]):
        return NO_ADDRESS
    if sum(map(len, service)) > 1:
        return SEVERAL
    letter: dict[str, Any] | None = order["letter"]
    if letter is None:
        return TAKEN
    pictures = [
        AttachMemory(content=base64.b64decode(jpeg), name=name, mimetype="image/jpeg")  # type: ignore[no-untyped-call]
        for name, jpeg in letter["pictures"]
    ]

    def taken(attached: list[Any]) -> bool:
        return bool(
            service.notify(
                body=letter["body"],
                title=letter["title"],
                notify_type=apprise.NotifyType.WARNING if letter["urgent"] else apprise.NotifyType.INFO,
                body_format=apprise.NotifyFormat.TEXT,
                attach=attached or None,
            )
        )

    # nobody says whether the text or a picture was refused: the text alone at once, and not the whole for ever
    return TAKEN if taken(pictures) or (pictures and taken([])) else FAILED


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        code = main()
    except Exception:  # noqa: BLE001 - its text may quote the address
        code = FAILED
    os._exit(code)  # threads that a plugin left behind are not waited for
