"""How long does a page of alerts take when there are a million of them?

    python -m benchmarks.alert_pages [--alerts 1000000] [--pages 200] [--out FILE]

Fills a store with alerts of 16 cameras over two years (nearly all of them ended and acknowledged, a few open), then
asks for pages of 50 through `Store.find`: the first, ones from the middle, and filtered ones; among the filters are
those that fit few alerts or none, which read the most. Prints JSON: p50 and p95 of each in milliseconds.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import tell
from service.inquiry import Place, Wanted
from service.store.store import Store
from service.telemetry import configure_logging

BEGIN_MS, END_MS = 1_704_067_200_000, 1_767_225_600_000
CAMERAS = [f"camera-{number:02}" for number in range(16)]
ZONES = ["whole-picture"] * 60 + ["gate", "scaffold", "loading-bay"] * 13 + ["rare-corner"]
PAGE = 50
COLUMNS = (
    "id, camera, person, zone, equipment, severity, since_s, since_ms, fired_s, fired_ms, seen_s, seen_ms, ended_s, "
    "ended_ms, ending, x1, y1, x2, y2, by_absence, zone_uncertain, acknowledged"
)


def rows(count: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Alerts in the order in which they fired; the last twenty are open, the last thousand not acknowledged."""
    for number in range(count):
        at = BEGIN_MS + (END_MS - BEGIN_MS) * number // count
        name = hashlib.sha256(b"%d" % number).hexdigest()[:16]
        equipment = chance.choice(("helmet", "helmet", "vest"))
        severity = "low" if number == count // 3 else "high" if equipment == "helmet" else "medium"
        ended = None if number >= count - 20 else at + 60_000
        seen = at + 50_000
        moments = (at / 1000 - 2, at - 2000, at / 1000, at, seen / 1000, seen, ended and ended / 1000, ended)
        last = (ended and "worn", 10.0, 20.0, 110.0, 320.0, 0, 0, int(number < count - 1000))
        yield (name, chance.choice(CAMERAS), f"p{number}", chance.choice(ZONES), equipment, severity, *moments, *last)


def fill(folder: Path, count: int) -> float:
    """Make a store with so many alerts, half of them with a mark; return the seconds that it took."""
    began = time.perf_counter()
    Store(folder, []).close()
    database = sqlite3.connect(folder / "ppe.db", isolation_level=None)
    for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        database.execute(f"PRAGMA {pragma}")
    indexes = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'alerts' AND sql IS NOT NULL"
    ).fetchall()
    database.execute("BEGIN")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    holes = ", ".join("?" * len(COLUMNS.split(",")))
    database.executemany(f"INSERT INTO alerts ({COLUMNS}) VALUES ({holes})", rows(count, random.Random(1)))
    database.execute(
        'INSERT INTO marks (alert, kind, at_ms, "by", note) '
        "SELECT id, 'acknowledged', ended_ms, 'Kim', '' FROM alerts WHERE acknowledged AND rowid % 2"
    )
    database.execute(
        "INSERT INTO series (camera, zone, equipment, severity) "
        "SELECT DISTINCT camera, zone, equipment, severity FROM alerts"
    )
    for _, sql in indexes:
        database.execute(sql)
    database.execute("COMMIT")
    database.close()
    return time.perf_counter() - began


def measured(ask: Callable[[], object], times: int) -> dict[str, float]:
    """Ask so often; return p50 and p95 in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return {"p50_ms": round(took[len(took) // 2], 2), "p95_ms": round(took[int(0.95 * (len(took) - 1))], 2)}


def pages(folder: Path, times: int) -> dict[str, dict[str, float]]:
    """Ask for pages of every kind."""
    chance = random.Random(2)
    middle = (BEGIN_MS + END_MS) // 2

    def anywhere() -> Place:
        return chance.randrange(BEGIN_MS, END_MS), "8000000000000000"

    day = 86_400_000
    asked: dict[str, tuple[Wanted, bool]] = {
        "first": (Wanted(), False),
        "middle": (Wanted(), True),
        "camera": (Wanted(camera=CAMERAS[3]), True),
        "camera and zone": (Wanted(camera=CAMERAS[3], zone="gate"), True),
        "rare zone": (Wanted(zone="rare-corner"), True),
        "open": (Wanted(open=True), False),
        "open, of a camera": (Wanted(camera=CAMERAS[3], open=True), False),
        "not acknowledged": (Wanted(acknowledged=False), False),
        "not acknowledged, of a camera": (Wanted(camera=CAMERAS[3], acknowledged=False), False),
        "a day in the middle": (Wanted(since_ms=middle, until_ms=middle + day), False),
        "one alert fits": (Wanted(severity="low"), False),
        "none fits": (Wanted(equipment="vest", severity="low"), False),
        "of a camera, none fits": (Wanted(camera=CAMERAS[3], equipment="vest", severity="low"), False),
    }
    with Store(folder, []) as store:
        return {
            name: measured(
                lambda wanted=wanted, deep=deep: store.find(wanted, PAGE, anywhere() if deep else None), times
            )
            for name, (wanted, deep) in asked.items()
        }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=200, help="pages of each kind")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    configure_logging("warning", "console")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "store"
        filled = fill(folder, options.alerts)
        found: dict[str, Any] = {
            "alerts": options.alerts,
            "sqlite": sqlite3.sqlite_version,
            "filled_in_s": round(filled, 1),
            "database_mib": round((folder / "ppe.db").stat().st_size / 2**20, 1),
            "pages": pages(folder, options.pages),
        }
    tell(found, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
