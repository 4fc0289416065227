"""The half of the store that answers what is asked of it; it changes nothing but what people say of alerts."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from service.inquiry import Grouping, History, Listed, Mark, MarkKind, Place, Share, Span, Wanted
from service.safety.alerts import Alert
from service.store import evidence, inquiries, statistics
from service.store.database import Database
from service.store.errors import named


class Asked:
    """`inquiry.AlertRecords` on an open database and the evidence beside it. Any thread may call it."""

    _database: Database
    _evidence: Path

    def flush(self) -> None:
        """Write what waits in memory."""
        raise NotImplementedError

    def alerts(self, most: int = 100, *, before: Place | None = None, camera: str | None = None) -> list[Alert]:
        """Return at most `most` alerts, newest first; the next page is before the last one's (fired.wall_ms, id)."""
        return [listed.alert for listed in self.find(Wanted(camera=camera), most, before)]

    def find(self, wanted: Wanted, most: int, before: Place | None = None) -> list[Listed]:
        """Return at most `most` alerts that are wanted, newest first; the next page is before the last one's place."""
        with self._database.reading() as connection:
            return inquiries.find(connection, wanted, most, before)

    def alert(self, alert: str) -> History | None:
        """Return an alert by its id with what happened to it and what was said of it, or None."""
        with self._database.reading() as connection:
            return inquiries.history(connection, alert)

    def mark(self, alert: str, mark: Mark) -> History | None:
        """Keep what was said of an alert and return the alert, or None when there is no such alert."""
        with self._database.transaction() as connection:
            if inquiries.history(connection, alert) is None:
                return None
            inquiries.mark(connection, alert, mark)
            return inquiries.history(connection, alert)

    def marked(self, kind: MarkKind, since_ms: int = 0) -> list[str]:
        """Return the ids of alerts that fired since then (Unix ms) and have a mark of a kind, newest first."""
        with self._database.reading() as connection:
            return inquiries.marked(connection, kind, since_ms)

    def evidence_path(self, alert: str, kind: str) -> Path | None:
        """Return the file of a still, or None; the path comes from the store's rows, never from the arguments.

        A row that leads out of the folder, by its words or by a link, leads nowhere.
        """
        with self._database.reading() as connection:
            found = evidence.path_of(connection, alert, kind)
        if found is None:
            return None
        path = self._evidence / found
        inside = path.resolve().is_relative_to(self._evidence.resolve())
        return path if inside and path.is_file() else None

    def picture(self, alert: str, kind: str) -> bytes | None:
        """Return a still of an alert as JPEG, or its clip as MP4; None when there is none, or none any more."""
        path = self.evidence_path(alert, kind)
        if path is None:
            return None
        with named(self._evidence.parent):
            try:
                return path.read_bytes()
            except FileNotFoundError:  # removed a moment ago
                return None

    def why_gone(self, alert: str, kind: str) -> str | None:
        """Return why a still or clip of an alert is not there, in one word; None when it is, or never was to be."""
        with self._database.reading() as connection:
            return evidence.why_not(connection, alert, kind)

    def compliance(self, span: Span, by: Collection[Grouping]) -> list[Share]:
        """Return person-seconds in groups, what was counted a moment ago included."""
        self.flush()
        with self._database.reading() as connection:
            return inquiries.compliance(connection, span, by)

    def person_seconds(self, camera: str, from_ms: int, to_ms: int) -> list[statistics.HourOf]:
        """Return a camera's person-seconds of the hours that start in [from_ms, to_ms), Unix milliseconds."""
        self.flush()
        with self._database.reading() as connection:
            return statistics.seconds_of(connection, camera, from_ms, to_ms)

    def heights(self, camera: str, from_ms: int, to_ms: int) -> dict[int, int]:
        """Return a camera's histogram of heights: lower edge of the 10 px bin to people, hours as in person_seconds."""
        self.flush()
        with self._database.reading() as connection:
            return statistics.heights_of(connection, camera, from_ms, to_ms)
