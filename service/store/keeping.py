"""What is kept and what is forgotten: limits, holds, erasures and sweeps. Start with `step`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, delete, select

from service.news import Room
from service.ports import Clock
from service.safety.moment import Moment
from service.store import clips, erasure, evidence, retention, status
from service.store.database import Database
from service.store.disk import Disk
from service.store.erasure import Erasure, Scope
from service.store.errors import StoreError, named
from service.store.portable import insert
from service.store.retention import Aged, Limits
from service.store.schema import alerts, holds
from service.store.sweep import ORPHAN_AFTER, Swept, sweep

LOOK: Final = 60.0
"""Seconds between two looks whether something is to be forgotten, and at the disk's free space."""
PAUSE: Final = 0.1
"""Seconds between two steps, in which everybody else may write."""
SWEEP: Final = 3600.0
"""Seconds between two sweeps."""

log = structlog.get_logger(__name__)


class UnknownAlert(LookupError):  # noqa: N818 - it reads as what happened
    """There is no such alert."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did, and the alerts of its scope that it left: open ones and held ones."""

    tombstone: Erasure
    still_open: tuple[str, ...]
    held: tuple[str, ...]


class Keeping:
    """Keeps and forgets evidence, alerts and messages of one open store. Any thread may call it.

    Args:
        limits: None forgets nothing by itself.
        flush: writes what waits in memory, so that it can be erased.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        disk: Disk,
        clock: Clock,
        limits: Limits | None = None,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        self._flush = flush
        self._folder = folder
        self._database = database
        self._disk = disk
        self._clock = clock
        self._limits = limits
        self._turn = threading.Lock()
        self._looked: Moment | None = None
        self._short = 0
        self._told_short = False

    # -- holds

    def hold(self, alert: str, why: str = "") -> None:
        """Keep an alert with its evidence until it is released; one that is held already is held on.

        Raises:
            UnknownAlert: there is no such alert.
        """
        with self._database.transaction() as connection:
            if connection.scalar(select(alerts.c.id).where(alerts.c.id == alert)) is None:
                raise UnknownAlert(f"there is no alert {alert}")
            row = {"alert": alert, "since_ms": self._clock.now().wall_ms, "why": why}
            connection.execute(insert(holds).values(row).on_conflict_do_nothing())

    def release(self, alert: str) -> bool:
        """Hold an alert no longer; return whether it was held."""
        with self._database.transaction() as connection:
            return bool(connection.execute(delete(holds).where(holds.c.alert == alert)).rowcount)

    # -- what is there

    def gone(self, alert: str, kind: str) -> evidence.Gone | None:
        """Return since when and why a still is gone; None when it is there, or never was to be."""
        with self._database.reading() as connection:
            return evidence.gone(connection, alert, kind)

    def status(self) -> status.Status:
        """Return what evidence there is."""
        with named(self._folder):
            free = self._disk.free()
        with self._database.reading() as connection:
            return status.look(connection, free)

    def room(self) -> Room:
        """Return how much room there is."""
        with named(self._folder):
            free = self._disk.free()
        with self._database.reading() as connection:
            return Room(free, retention.kept_bytes(connection))

    # -- forgetting

    def step(self) -> int:
        """Forget the next little of what is too old or too much; return how much: 0 when there is nothing to forget.

        A step is one transaction, and removes the evidence of at most 20 alerts or the rows of 100.

        Raises:
            StoreError: it can't be done now; the next step tries again.
        """
        with self._turn:
            for begun in self._unfinished():
                self._carry_on(begun)
                return 1
            return 0 if self._limits is None else self._forget(self._limits)

    def erase(self, scope: Scope, asked_by: str) -> Erased:
        """Erase the pictures and personal parts of alerts that ended and are not held, and their recorded frames.

        A tombstone says what was erased, when and by whose wish. What is cut off by a crash or a fault of the disk is
        carried on by the next `step`.

        Raises:
            UnknownAlert: the scope names an alert that is none.
            StoreError: the rest of it can't be done now.
        """
        self._flush()
        with self._turn:
            with self._database.transaction() as connection:
                known = select(alerts.c.id).where(alerts.c.id == scope.alert)
                if scope.alert is not None and connection.scalar(known) is None:
                    raise UnknownAlert(f"there is no alert {scope.alert}")
                number = erasure.begin(connection, scope, asked_by, self._clock.now().wall_ms)
            for begun in self._unfinished():
                self._carry_on(begun)
            with self._database.transaction() as connection:
                (tombstone,) = (one for one in erasure.tombstones(connection) if one.number == number)
                return Erased(tombstone, *erasure.left(connection, scope, self._clock.now().wall_ms))

    def sweep(self, stopped: Callable[[], bool] = lambda: False) -> Swept:
        """Make rows and files agree: remove what a crash left, say of which rows the file is missing.

        Args:
            stopped: tells that the rest can wait for the next sweep.

        Raises:
            StoreError: it can't be done now.
        """
        with self._turn, named(self._folder):
            now_ms = self._clock.now().wall_ms
            swept = sweep(self._database, self._disk, now_ms, stopped)
            with self._database.transaction(durable=False) as connection:
                clips.lose(connection, now_ms, now_ms - round(1000 * ORPHAN_AFTER))
            return swept

    def run(self, stop: threading.Event) -> None:
        """Forget what is to be forgotten and sweep once an hour, until `stop` is set; a fault is logged once."""
        swept = self._clock.now()
        failing = False
        pause = PAUSE
        while not stop.wait(pause):
            try:
                if self._clock.now().since(swept) >= SWEEP:
                    swept = self._clock.now()
                    self.sweep(stop.is_set)
                forgotten = self.step()
            except StoreError as error:
                if not failing:
                    log.error("store_cannot_forget", code=error.code, reason=str(error))
                failing, pause = True, LOOK
                continue
            except Exception:  # a box that forgets nothing more fills its disk
                log.exception("store_cannot_forget")
                pause = LOOK
                continue
            if failing:
                log.info("store_forgets_again")
            failing, pause = False, PAUSE if forgotten else LOOK

    def _forget(self, limits: Limits) -> int:
        now = self._clock.now()
        lacking = self._lacking(limits, now)
        try:
            with self._database.transaction() as connection:  # one: nobody holds an alert between choice and removal
                why, chosen = self._too_much(connection, limits, now, lacking)
                paths = evidence.remove(connection, [one.alert for one in chosen], now.wall_ms, why)
        except StoreError as error:
            if error.code != "STORE_FULL":
                raise
            with self._database.transaction() as connection:  # reading needs no room: the files make some
                why, chosen = self._too_much(connection, limits, now, lacking)
                paths = evidence.kept_paths(connection, [one.alert for one in chosen])
            self._unlink(paths)
            with self._database.transaction() as connection:
                evidence.remove(connection, [one.alert for one in chosen], now.wall_ms, why)
        if chosen:
            self._unlink(paths)
            size = sum(one.size for one in chosen)
            self._short = max(0, self._short - size)
            log.info("evidence_forgotten", why=why, alerts=len(chosen), size=size, newest_ms=chosen[-1].fired_ms)
            return len(chosen)
        with self._database.transaction(durable=False) as connection:
            forgotten = retention.forget_alerts(connection, limits.alerts_before(now.wall_ms), now.wall_ms)
            return forgotten or retention.forget_messages(connection, limits.alerts_before(now.wall_ms))

    def _too_much(
        self, connection: Connection, limits: Limits, now: Moment, lacking: int
    ) -> tuple[evidence.Why, list[Aged]]:
        """Return whose evidence goes next, and why; `lacking` are the bytes that the disk lacks."""
        if old := retention.oldest(connection, now.wall_ms, limits.evidence_before(now.wall_ms)):
            return "age", old
        total = retention.kept_bytes(connection)
        excess = max(total - limits.evidence_bytes, lacking)
        chosen = retention.enough(retention.oldest(connection, now.wall_ms), excess) if excess > 0 else []
        self._tell_short(excess > 0 and not chosen, total)
        return "size" if total > limits.evidence_bytes else "space", chosen

    def _lacking(self, limits: Limits, now: Moment) -> int:
        """Return how many bytes are still to go for the disk's sake, as judged once a minute.

        File systems may free what was removed later, and others use the disk as well: between two looks no more is
        removed than was lacking at the first.
        """
        if limits.free_bytes and (self._looked is None or abs(now.since(self._looked)) >= LOOK):
            self._looked = now
            with named(self._folder):
                self._short = max(0, limits.free_bytes - self._disk.free())
        return self._short

    def _unlink(self, paths: list[str]) -> None:
        with named(self._folder):
            self._disk.remove(paths)

    def _tell_short(self, short: bool, total: int) -> None:
        """Say once that the limits can't be kept: all evidence that is left is open or held."""
        if short and not self._told_short:
            log.warning("evidence_limit_cannot_be_kept", size=total, meaning="all that is left is open or held")
        self._told_short = short

    def _unfinished(self) -> list[Erasure]:
        with self._database.transaction() as connection:
            return erasure.tombstones(connection, unfinished=True)

    def _carry_on(self, begun: Erasure) -> None:
        """Do what is left of an erasure, a little at a time."""
        while True:
            with self._database.erasing() as connection:
                count, paths = erasure.erase_alerts(connection, begun, self._clock.now().wall_ms)
            self._unlink(paths)
            if not count:
                break
        after: int | None = 0
        while after is not None:
            with self._database.erasing() as connection:
                after = erasure.empty_messages(connection, after)
        packs = 1
        while packs:
            with self._database.erasing() as connection:
                packs = erasure.forget_recordings(connection, begun.scope)
        self._database.forget_removed()
        with self._database.transaction() as connection:
            erasure.finish(connection, begun.number, self._clock.now().wall_ms)
        log.info("erased", number=begun.number, asked_by=begun.asked_by)
