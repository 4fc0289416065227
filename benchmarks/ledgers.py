"""What a store holds on the disk, read beside it, compared with what was told and what was received."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store's database says.

    Attributes:
        fired: ids of alerts, once for each time that they fired.
        since: when each alert's violation began, in Unix milliseconds.
        messages: ids of messages, with the alert that each tells of having fired, "" for none.
    """

    fired: tuple[str, ...]
    since: dict[str, int]
    messages: dict[str, str]
    integrity: str


def read(folder: Path) -> Kept:
    """Read a store whose process is dead or still runs."""
    with closing(sqlite3.connect(folder / "ppe.db")) as rows:
        fired = tuple(alert for (alert,) in rows.execute("SELECT alert FROM alert_changes WHERE kind = 'fired'"))
        since = dict(rows.execute("SELECT id, since_ms FROM alerts"))
        told = rows.execute("SELECT id, type, payload FROM messages")
        messages = {
            name: str(json.loads(body)["data"]["alert"]) if kind == "alert.fired" else "" for name, kind, body in told
        }
        return Kept(fired, since, messages, str(rows.execute("PRAGMA integrity_check").fetchone()[0]))


def compared(
    kept: Kept, alerts: Collection[str], messages: Collection[str], received: Collection[str]
) -> dict[str, int | str]:
    """Compare a store with the alerts and messages that it was said to have taken, and with ids that were received."""
    told = Counter(alert for alert in kept.messages.values() if alert)
    return {
        "alerts": len(kept.since),
        "messages": len(kept.messages),
        "alerts_lost": len(set(alerts) - set(kept.fired)),
        "messages_lost": len(set(messages) - kept.messages.keys()),
        "messages_not_received": len(kept.messages.keys() - set(received)),
        "strange_messages_received": len(set(received) - kept.messages.keys()),
        "alerts_fired_twice": len(kept.fired) - len(set(kept.fired)),
        "alerts_told_twice_under_another_id": sum(many > 1 for many in told.values()),
        "alerts_without_message": len(set(kept.fired) - told.keys()),
        "integrity": kept.integrity,
    }


def spotless(found: dict[str, int | str]) -> bool:
    """Tell whether a comparison found nothing wrong."""
    faults = [value for name, value in found.items() if name not in {"alerts", "messages", "integrity"}]
    return not any(faults) and found["integrity"] == "ok" and bool(found["alerts"])
