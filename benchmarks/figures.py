"""What was measured is printed, and kept where it is asked for."""

from __future__ import annotations

import json
from pathlib import Path


def tell(found: object, out: Path | None) -> None:
    """Print figures as JSON, and write them to a file whose folder is made."""
    text = json.dumps(found, indent=2)
    print(text)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
