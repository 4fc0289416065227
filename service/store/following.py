"""Messages in the order in which they were recorded, for who follows what is told; and how much room there is."""

from __future__ import annotations

from typing import Final

from sqlalchemy import RowMapping, select

from service.news import Room, Told
from service.store.database import Database
from service.store.keeping import Keeping
from service.store.letters import ERASED
from service.store.schema import messages

_SHOWN: Final = [messages.c[name] for name in ("number", "id", "type", "camera", "payload")]


class Following:
    """`news.NewsRecords` on an open database. Any thread may call it."""

    _database: Database
    keeping: Keeping

    def newest_told(self) -> Told | None:
        """Return the message that was recorded last, or None."""
        query = select(*_SHOWN).order_by(messages.c.number.desc()).limit(1)
        with self._database.reading() as connection:
            found = connection.execute(query).mappings().first()
        return _told(found) if found else None

    def number_told(self, message: str) -> int | None:
        """Return the number of a message by its id; None: there is no such message, or none any more."""
        with self._database.reading() as connection:
            found: int | None = connection.scalar(select(messages.c.number).where(messages.c.id == message))
        return found

    def told_after(self, number: int, most: int) -> list[Told]:
        """Return at most `most` messages with larger numbers, oldest first; erased ones are left out."""
        query = select(*_SHOWN).where(messages.c.number > number, messages.c.payload != ERASED)
        with self._database.reading() as connection:
            return [_told(row) for row in connection.execute(query.order_by(messages.c.number).limit(most)).mappings()]

    def room(self) -> Room:
        """Return how much room there is."""
        return self.keeping.room()


def _told(row: RowMapping) -> Told:
    return Told(**row)
