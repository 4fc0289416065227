"""Does the store keep its word when its process is killed? Alerts with stills and outbox rows, kill -9 at random times.

    python -m benchmarks.kill_store [--kills 200] [--seed 1] [--out FILE]

A child records alerts through `Store.record` and says each number once that returned; the parent kills it 50 to 130 ms
after its start. The next child goes on after the last number that was said, so what was committed and not said is
recorded again. Prints JSON; exits with 1 when an acknowledged alert is lost, doubled or torn from its outbox row.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import tell
from service.ports import Message, Still
from service.safety.alerts import Alert, AlertChange
from service.safety.moment import Moment
from service.store.store import Store
from service.telemetry import configure_logging

ENDPOINTS = ("one", "two")
SOONEST, LATEST = 0.050, 0.130
STILL_EVERY = 4
"""Pictures take most of the time; the rows are what is tried here."""


def write_until_killed(folder: Path, first: int, said: int) -> None:
    store = Store(folder, ENDPOINTS)
    number = first
    while True:
        at = Moment(number / 10, 1_700_000_000_000 + number * 100)
        box = (10.0, 20.0, 110.0, 320.0)
        alert = Alert(f"{number:016x}", "gate", f"p{number}", "yard", "helmet", "high", at, at, at, box)
        message = Message(f"fired-{number}", "alert.fired", "gate", at.wall_ms, json.dumps({"number": number}))
        stills = [] if number % STILL_EVERY else [Still(alert.id, "clean", b"\xff\xd8" * 4000)]
        store.record([AlertChange("fired", alert, at)], stills, [message])
        os.write(said, b"%d\n" % number)
        number += 1


def one_life(folder: Path, first: int, seconds: float) -> list[int]:
    """Start a child, kill it after `seconds`, return the numbers that it said."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            write_until_killed(folder, first, writing)
        finally:
            os._exit(3)
    os.close(writing)
    end, heard = time.monotonic() + seconds, b""
    while (left := end - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            part = os.read(reading, 65536)
            if not part:
                break
            heard += part
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while part := os.read(reading, 65536):
        heard += part
    os.close(reading)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the child ended by itself: its store failed, see above")
    return [int(line) for line in heard.split(b"\n")[:-1]]


def kill_loop(kills: int, folder: Path, seed: int = 1) -> dict[str, int | float | str]:
    """Kill a writing process `kills` times and say what is left in `folder`."""
    chance = random.Random(seed)
    began = time.monotonic()
    acknowledged: list[int] = []
    Store(folder, ENDPOINTS).close()  # a first opening makes the tables, which may take longer than a child lives
    for _ in range(kills):
        first = acknowledged[-1] + 1 if acknowledged else 0
        acknowledged += one_life(folder, first, chance.uniform(SOONEST, LATEST))
    seconds = time.monotonic() - began
    Store(folder, ENDPOINTS).close()  # opens and sweeps after the last kill too
    return {
        "kills": kills,
        "acknowledged": len(acknowledged),
        **left_in(folder, acknowledged),
        "seconds": round(seconds, 1),
    }


def left_in(folder: Path, acknowledged: list[int]) -> dict[str, int | str]:
    rows = sqlite3.connect(folder / "ppe.db")
    try:
        alerts = [identity for (identity,) in rows.execute("SELECT id FROM alerts")]
        fired = [identity for (identity,) in rows.execute("SELECT alert FROM alert_changes WHERE kind = 'fired'")]
        messages = [json.loads(body)["number"] for (body,) in rows.execute("SELECT payload FROM messages")]
        deliveries = rows.execute("SELECT message, endpoint FROM deliveries WHERE state = 'pending'").fetchall()
        paths = [path for (path,) in rows.execute("SELECT path FROM evidence")]
        integrity = str(rows.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        rows.close()
    told = {f"{number:016x}" for number in messages}
    whole = set(alerts) & set(fired) & told
    return {
        "kept": len(alerts),
        "lost": len({f"{number:016x}" for number in acknowledged} - whole),
        "doubled": sum(len(many) - len(set(many)) for many in (alerts, fired, messages, deliveries, acknowledged)),
        "torn": len(set(alerts) ^ told) + abs(len(deliveries) - len(ENDPOINTS) * len(messages)),
        "without_still": sum(not int(alert, 16) % STILL_EVERY for alert in alerts)
        - sum((folder / "evidence" / path).stat().st_size == 8000 for path in paths),
        "integrity": integrity,
    }


def sound(result: dict[str, int | float | str]) -> bool:
    faults = ("lost", "doubled", "torn", "without_still")
    return not any(result[fault] for fault in faults) and result["integrity"] == "ok" and result["acknowledged"] != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    configure_logging("error", "console")
    with tempfile.TemporaryDirectory() as folder:
        result = kill_loop(arguments.kills, Path(folder) / "store", arguments.seed)
    tell(result, arguments.out)
    return 0 if sound(result) else 1


if __name__ == "__main__":
    sys.exit(main())
