"""Rows and files are brought to agree: what a crash left is removed, and rows whose file somebody removed say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from service.store import evidence
from service.store.database import Database
from service.store.disk import Disk, File

ORPHAN_AFTER: Final = 3600.0
"""Seconds after which a file without a row is no longer waiting for its transaction."""
_DAY_MS: Final = 86_400_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: orphan files that it removed, and rows whose files are missing."""

    removed: int
    missing: int


def sweep(database: Database, disk: Disk, now_ms: int, stopped: Callable[[], bool] = lambda: False) -> Swept:
    """Remove files that no row names and no transaction can still wait for, and empty folders; correct the rows.

    Nothing younger than an hour is touched. The database is held for 500 rows at a time. Once it is `stopped`, the
    days that are left wait for the next sweep.

    Raises:
        OSError: the disk can't be read or written.
        StoreError: the database can't.
    """
    old = now_ms / 1000 - ORPHAN_AFTER
    removed = missing = 0
    for day in sorted({*disk.days(), *_days_with_rows(database)}):
        if stopped():
            break
        found = disk.files(day)
        named: set[str] = set()
        for rows in _pages(database, disk, day, found):
            named.update(row.path for row in rows)
            gone = [row for row in rows if row.path not in found and row.why != evidence.PENDING]
            missing += sum(disk.find(row.path) is None for row in gone)
        orphans = [path for path, file in found.items() if path not in named and file.written < old]
        disk.remove(orphans)
        disk.remove_empty(day, old)
        removed += len(orphans)
    if removed or missing:
        log.info("evidence_swept", removed=removed, missing=missing)
    return Swept(removed, missing)


def _pages(database: Database, disk: Disk, day: str, found: dict[str, File]) -> Iterator[list[evidence.Row]]:
    """Yield a day's kept rows, page by page, once they say what the disk has."""
    from_ms = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    place = (from_ms, "", "")
    while True:
        with database.transaction(durable=False) as connection:
            rows = evidence.page(connection, from_ms, from_ms + _DAY_MS, place)
            # a still may have been written since the folder was read
            evidence.correct(connection, [(row, found.get(row.path) or disk.find(row.path)) for row in rows])
        if not rows:
            return
        yield rows
        place = (rows[-1].fired_ms, rows[-1].alert, rows[-1].kind)


def _days_with_rows(database: Database) -> list[str]:
    """Return the days (UTC) of which evidence is kept."""
    days: list[str] = []
    with database.transaction() as connection:
        from_ms = -(2**62)
        while (fired_ms := evidence.next_fired_ms(connection, from_ms)) is not None:
            midnight = datetime.fromtimestamp(fired_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            days.append(midnight.strftime("%Y-%m-%d"))
            from_ms = round((midnight + timedelta(days=1)).timestamp() * 1000)
    return days
