"""The store: what happened is kept, and waits for its receivers. Start with `record`."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import structlog
from sqlalchemy import URL

from service.ports import Clock, Endpoint, Message, Still
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import PersonSeconds
from service.safety.detections import Detections
from service.safety.moment import Moment
from service.store import clips as filmed
from service.store import erasure, evidence, ledger, outbox, recordings, statistics
from service.store.asked import Asked
from service.store.database import open_database
from service.store.disk import Disk
from service.store.errors import StoreError
from service.store.following import Following
from service.store.keeping import Keeping
from service.store.keys import Keys
from service.store.letters import Letters, known
from service.store.machine import MachineClock
from service.store.notices import Noticed
from service.store.retention import Limits
from service.store.sending import Sending

FLUSH_EVERY: Final = 5.0
"""Seconds that counts and recorded detections wait in memory: what a crash may cost of them."""

log = structlog.get_logger(__name__)


class Store(Asked, filmed.Clips, Following, Letters, Sending):
    """`ports.EventStore`, `ClipStore`, `Outbox` and what `inquiry` asks, on one SQLite file and a folder of pictures.

    Any thread may call it.

    Args:
        folder: where ppe.db and evidence/ lie; made when it is not there. One process at a time may have it open.
        endpoints: the receivers that get every message that they want from now on; a bare name wants all.
            One that is disabled and has a new address is enabled.
        clock: the present, for ages of recordings, evidence and orphan files.
        limits: how much is kept; None forgets nothing by itself.
        disk: writes the evidence below `folder`; by default as files in evidence/.
        address: of a PostgreSQL database to use in place of ppe.db; several processes may, with one folder.

    Attributes:
        keeping: holds, erases, forgets and sweeps.
        keys: API keys and the audit log.
        notices: what people are to be told, and what they were posted.
        swept: what the sweep at opening found.

    Raises:
        StoreError: see `errors`; on opening, most likely STORE_LOCKED or STORE_VERSION.
    """

    def __init__(
        self,
        folder: Path,
        endpoints: Sequence[str | Endpoint],
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        disk: Disk | None = None,
        address: URL | None = None,
    ) -> None:
        self._evidence = folder / "evidence"
        self._folder = folder
        self._endpoints = known(endpoints)
        self._clock = clock or MachineClock()
        self._recorder = recordings.Recorder()
        self._counts = statistics.Counts()
        self._flushing = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._stopping = threading.Event()
        self._database = open_database(folder, address)
        self._lessee = uuid.uuid4().hex
        self.keys = Keys(self._database)
        self.notices = Noticed(self._database)
        self._disk = disk or Disk(self._evidence)
        self._pictures = evidence.Pictures(self._disk)
        self.keeping = Keeping(folder, self._database, self._disk, self._clock, limits, self.flush)
        try:
            self.swept = self.keeping.sweep()
            if not self._database.shared:  # others may be at theirs
                self.lose_pending()
            self.enable_moved()
        except BaseException:
            self._database.close()
            raise
        self._threads = [threading.Thread(target=self._flush_on_and_on, name="store-flush", daemon=True)]
        if limits is not None:
            run = threading.Thread(target=self.keeping.run, args=(self._stopping,), name="store-keep", daemon=True)
            self._threads.append(run)
        for thread in self._threads:
            thread.start()

    @property
    def shared(self) -> bool:
        """Whether other processes may have the database open as well."""
        return self._database.shared

    # -- what happened

    def record(
        self,
        changes: Sequence[AlertChange],
        stills: Sequence[Still],
        messages: Sequence[Message],
        clips: Collection[str] = (),
    ) -> None:
        """Keep alert changes with their evidence and put their messages into the outbox of every endpoint.

        The stills are on disk before the rows are committed, and the rows are on disk when this returns. A still that
        can't be written costs nothing else: its row says so and why. A change of the same alert, kind and wall
        millisecond, or a message of the same id, that is kept already is left alone, and so is what was forgotten.

        Raises:
            ValueError: an alert's id can't name a folder, or a still is of an alert that is not kept.
            StoreError: nothing of the call is kept; call again with the same arguments.
        """
        if not (changes or stills or messages):
            return
        fired = self._fired(changes, stills)
        written = [self._pictures.write(still, fired[still.alert]) for still in self._wanted(stills)]
        with self._database.transaction() as connection:
            ledger.keep(connection, erasure.without_erased(connection, changes))
            evidence.keep(connection, written, self._clock.now().wall_ms)
            filmed.promise(connection, {alert: fired[alert] for alert in clips})
            outbox.put(connection, messages, self._endpoints)

    def _fired(self, changes: Sequence[AlertChange], stills: Sequence[Still]) -> dict[str, int]:
        """Return when the alerts fired that changes and stills are about (Unix ms)."""
        fired = {change.alert.id: change.alert.fired.wall_ms for change in changes}
        for alert in {*fired, *(still.alert for still in stills)}:
            evidence.refuse_strange_id(alert)
        unknown = {still.alert for still in stills} - fired.keys()
        if unknown:
            with self._database.reading() as connection:
                for alert in unknown:
                    at = ledger.fired_ms(connection, alert)
                    if at is None:
                        raise ValueError(f"a still of alert {alert}, which is not kept")
                    fired[alert] = at
        return fired

    def _wanted(self, stills: Sequence[Still]) -> list[Still]:
        """Return the stills whose place was not emptied on purpose."""
        if not stills:
            return []
        with self._database.reading() as connection:
            away = evidence.forgotten(connection, {still.alert for still in stills})
        return [still for still in stills if (still.alert, still.kind) not in away]

    def touch(self, alerts: Sequence[Alert]) -> None:
        """Keep where and when open alerts were last seen; a loss of power may cost the newest."""
        if alerts:
            with self._database.transaction(durable=False) as connection:
                ledger.touch(connection, alerts)

    def open_alerts(self, camera: str, *, lost_since_ms: int | None = None) -> list[Alert]:
        """Return a camera's open alerts, and those that were lost sight of and last seen since then, oldest first."""
        with self._database.reading() as connection:
            return ledger.open_of(connection, camera, lost_since_ms)

    def cameras_with_open_alerts(self) -> list[str]:
        """Return the ids of the cameras that have open alerts, sorted."""
        with self._database.reading() as connection:
            return ledger.cameras_with_open(connection)

    def conditions(self, camera: str) -> frozenset[str]:
        """Return the names of a camera's conditions that some endpoint was sent the beginning of, and no end yet."""
        with self._database.reading() as connection:
            return outbox.told_of(connection, camera)

    # -- what was seen: counted and remembered in memory, written every few seconds

    def count(self, camera: str, at: Moment, seconds: PersonSeconds, heights: Sequence[float]) -> None:
        """Add to a camera's person-seconds by zone and hour and to its histogram of heights (10 px bins).

        Raises:
            ValueError: a value is negative or no number.
        """
        self._refuse_when_closed()
        self._counts.add(camera, at, seconds, heights)

    def remember(self, camera: str, at: Moment, detections: Detections) -> None:
        """Keep a frame's detections for replays: the last 30 minutes, at most 18,000 frames and 16 MiB a camera."""
        self._refuse_when_closed()
        if self._recorder.add(camera, at, detections):
            self._wake.set()

    def recording(self, camera: str) -> Iterator[tuple[Moment, Detections]]:
        """Yield a camera's remembered frames in the order in which they came, as input for a replay."""
        self.flush()
        with self._database.reading() as connection:
            packs = recordings.numbers(connection, camera)
        for number in packs:
            with self._database.reading() as connection:
                packed = recordings.packed_frames(connection, number)
            yield from recordings.unpack(packed)

    def flush(self) -> None:
        """Write what was counted and remembered; counts that can't be written wait on, remembered frames are lost.

        Raises:
            StoreError: it can't be written.
        """
        with self._flushing:  # one after another, so that frames stay in order
            counts = self._counts.take()
            try:
                with self._database.transaction(durable=False) as connection:
                    statistics.write(connection, counts)
                    self._recorder.write(connection, self._clock.now().wall_ms)
            except StoreError:
                self._counts.give_back(counts)
                raise

    def _flush_on_and_on(self) -> None:
        failing = False
        while not self._closed:
            self._wake.wait(FLUSH_EVERY)
            self._wake.clear()
            if self._closed:
                return
            try:
                self.flush()
            except StoreError as error:
                if not failing:
                    log.error("store_cannot_flush", code=error.code, reason=str(error))
                failing = True
            else:
                if failing:
                    log.info("store_flushes_again")
                failing = False

    def backup(self, path: Path) -> None:
        """Write a copy of the database to `path`, which must not exist. Evidence is plain files: copy those afterwards.

        Raises:
            FileExistsError: `path` exists.
            StoreError: the copy could not be written.
        """
        self.flush()
        self._database.backup(path)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreError("STORE_CLOSED", f"the store in {self._folder} was closed")

    def close(self) -> None:
        """Flush and close. Idempotent.

        Raises:
            StoreError: the last counts and remembered frames could not be written; it is closed all the same.
        """
        with self._flushing:
            if self._closed:
                return
            self._closed = True
        self._wake.set()
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        try:
            self.flush()
            self.leave()
            self.notices.leave()
        finally:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
