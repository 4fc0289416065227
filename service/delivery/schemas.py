"""The published schemas of what is delivered: one JSON schema an event type."""

from __future__ import annotations

import json
from pathlib import Path

from service.events import EVENTS, Event


def schemas() -> dict[str, str]:
    """Return the JSON schema of every event type, as the text of a file."""
    return {str(event.model_fields["type"].default): _text(event) for event in EVENTS}


def write_schemas(folder: Path) -> None:
    """Write ``<type>.json`` for every event type into `folder`."""
    for name, text in schemas().items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _text(event: type[Event]) -> str:
    schema = event.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"
