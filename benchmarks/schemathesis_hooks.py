"""What schemathesis is told about this service; it loads this module itself (SCHEMATHESIS_HOOKS)."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

KNOWN: dict[str, str] = json.loads(os.environ["PPE_SCHEMATHESIS_KNOWN"])
"""Ids of what there is, by the names of path parameters."""


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001
    """Have real ids as examples, so that answers about what there is are looked at, too.

    A body of events is text in OpenAPI 3.1; schemathesis would have its schema be that of one event.
    """
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            events = operation["responses"].get("200", {}).get("content", {}).get("text/event-stream")
            if events:
                events["schema"] = {}
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in KNOWN:
                    parameter["schema"].pop("examples", None)
                    parameter["schema"]["example"] = KNOWN[parameter["name"]]
