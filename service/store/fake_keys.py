"""API keys and an audit log in memory, for tests and try-outs."""

from __future__ import annotations

import threading
from dataclasses import replace

from service.keys import Entry, Key


class FakeKeys:
    """`keys.KeyRecords` in memory. Any thread may call it.

    Attributes:
        entries: the audit log, oldest first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self.entries: list[Entry] = []

    def keys(self) -> list[Key]:
        """Return every key, oldest first, revoked ones too."""
        with self._lock:
            return sorted(self._keys.values(), key=lambda key: (key.created_ms, key.id))

    def add_key(self, key: Key, entry: Entry) -> None:
        """Keep a key and the line that tells of it.

        Raises:
            ValueError: there is a key of this id.
        """
        with self._lock:
            if key.id in self._keys:
                raise ValueError(f"there is a key {key.id}")
            self._keys[key.id] = key
            self.entries.append(entry)

    def revoke_key(self, key: str, at_ms: int, entry: Entry) -> bool:
        """Revoke a key for good and write the line that tells of it; False when there is no such key or it was."""
        with self._lock:
            found = self._keys.get(key)
            if found is None or found.revoked_ms is not None:
                return False
            self._keys[key] = replace(found, revoked_ms=at_ms)
            self.entries.append(entry)
            return True

    def set_password(self, user: str, password: str, entry: Entry) -> bool:
        """Keep another password and the line that tells of it; False when no such user is."""
        with self._lock:
            found = self._keys.get(user)
            if found is None or found.password is None or found.revoked_ms is not None:
                return False
            self._keys[user] = replace(found, password=password)
            self.entries.append(entry)
            return True

    def use_key(self, key: str, at_ms: int) -> None:
        """Note when a key was used last."""
        with self._lock:
            if key in self._keys:
                self._keys[key] = replace(self._keys[key], used_ms=at_ms)

    def note(self, entry: Entry) -> None:
        """Add a line to the audit log."""
        with self._lock:
            self.entries.append(entry)

    def noted(self, most: int, before: int | None = None) -> list[tuple[int, Entry]]:
        """Return at most `most` lines with their numbers, newest first; the next page is before the last number."""
        with self._lock:
            numbered = [pair for pair in enumerate(self.entries, 1) if before is None or pair[0] < before]
            return numbered[::-1][:most]
