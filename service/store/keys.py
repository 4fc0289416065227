"""API keys and the audit log, as rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.keys import Entry, Key, Scope
from service.store.database import Database
from service.store.schema import api_keys, audit


class Keys:
    """`keys.KeyRecords` on an open database. Any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> list[Key]:
        """Return every key, oldest first, revoked ones too."""
        with self._database.reading() as connection:
            found = connection.execute(select(api_keys).order_by(api_keys.c.created_ms, api_keys.c.id)).mappings()
            return [_key(row) for row in found]

    def add_key(self, key: Key, entry: Entry) -> None:
        """Keep a key and the line that tells of it, in one transaction.

        Raises:
            ValueError: there is a key of this id.
        """
        with self._database.transaction() as connection:
            try:
                connection.execute(insert(api_keys), {**asdict(key), "scopes": ",".join(key.scopes)})
            except IntegrityError:
                raise ValueError(f"there is a key {key.id}") from None
            _note(connection, entry)

    def revoke_key(self, key: str, at_ms: int, entry: Entry) -> bool:
        """Revoke a key for good and write the line that tells of it; False when there is no such key or it was."""
        standing = (api_keys.c.id == key, api_keys.c.revoked_ms.is_(None))
        with self._database.transaction() as connection:
            done = connection.execute(update(api_keys).where(*standing).values(revoked_ms=at_ms)).rowcount > 0
            if done:
                _note(connection, entry)
            return done

    def set_password(self, user: str, password: str, entry: Entry) -> bool:
        """Keep another password and the line that tells of it; False when no such user is."""
        standing = (api_keys.c.id == user, api_keys.c.password.is_not(None), api_keys.c.revoked_ms.is_(None))
        with self._database.transaction() as connection:
            done = connection.execute(update(api_keys).where(*standing).values(password=password)).rowcount > 0
            if done:
                _note(connection, entry)
            return done

    def use_key(self, key: str, at_ms: int) -> None:
        """Note when a key was used last; a loss of power may cost the newest."""
        with self._database.transaction(durable=False) as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key).values(used_ms=at_ms))

    def note(self, entry: Entry) -> None:
        """Add a line to the audit log."""
        with self._database.transaction() as connection:
            _note(connection, entry)

    def noted(self, most: int, before: int | None = None) -> list[tuple[int, Entry]]:
        """Return at most `most` lines with their numbers, newest first; the next page is before the last number."""
        query = select(audit).order_by(audit.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._database.reading() as connection:
            return [(row["id"], _entry(row)) for row in connection.execute(query).mappings()]


def _note(connection: Connection, entry: Entry) -> None:
    connection.execute(insert(audit), asdict(entry))


def _key(row: RowMapping) -> Key:
    scopes = cast(tuple[Scope, ...], tuple(row["scopes"].split(",")))
    kept = (row[name] for name in ("created_ms", "used_ms", "revoked_ms", "password"))
    return Key(row["id"], row["name"], row["hash"], scopes, *kept)


def _entry(row: RowMapping) -> Entry:
    words = (row[name] for name in ("at_ms", "key", "name", "action", "object", "outcome", "times"))
    return Entry(*words)
