"""Keys and users of a running service, in memory: one process owns the store, so what it read stays true."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import anyio
import structlog

from service.api.sessions import Session, Sessions
from service.events import plain
from service.keys import Entry, Key, KeyRecords, Role, Scope, covered, digest, identity, make
from service.passwords import kept, named, proves, user
from service.ports import Clock, StoreUnavailable

USED_EVERY_MS: Final = 3_600_000
"""A key's last use is kept to the hour: enough to find keys that nobody uses, and no write a request."""
FILE: Final = "file"
"""The id of the admin key that a file holds."""
_NOBODY: Final = "0" * 64

log = structlog.stdlib.get_logger("service.api")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        key: the key's id; None where the service is open.
        name: the key's name; empty where the service is open.
        scopes: all that they may, what is implied included.
        session: id of the session that they asked in; None when the key itself came.
    """

    key: str | None = None
    name: str = ""
    scopes: frozenset[Scope] = frozenset()
    session: str | None = None

    def did(self, at_ms: int, action: str, object: str, outcome: str = "done") -> Entry:  # noqa: A002 - as in Entry
        """Return the audit log's line of what they did."""
        return Entry(at_ms, self.key, self.name, action, plain(object), outcome)


class Keyring:
    """Finds out whose key a token is. Any thread may call it.

    Args:
        records: where keys are kept.
        clock: the present.
        admin: the token of PPE_ADMIN_KEY_FILE, which may everything and is kept nowhere.

    Attributes:
        sessions: browsers that are signed in.
        proving: lets one password be proved at a time.
    """

    def __init__(self, records: KeyRecords, clock: Clock, admin: str | None = None) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        self._keys = {key.id: key for key in records.keys()}  # noqa: SIM118 - no dict
        self._admin = digest(admin) if admin is not None else _NOBODY
        self.sessions = Sessions(clock)
        self.proving = anyio.CapacityLimiter(1)

    @property
    def empty(self) -> bool:
        """Whether no token would be taken."""
        return self._admin == _NOBODY and all(key.revoked_ms is not None for key in self._keys.values())

    def caller(self, token: str) -> Caller | None:
        """Return whose token it is, or None. It takes as long for a key that is as for one that is not."""
        found = self._keys.get(identity(token) or "")
        said = digest(token)
        is_admin = hmac.compare_digest(said, self._admin)
        is_key = hmac.compare_digest(said, found.hash if found else _NOBODY)
        if is_admin:
            return Caller(FILE, "admin key file", covered(["admin"]))
        if found is None or not is_key or found.revoked_ms is not None:
            return None
        return Caller(found.id, found.name, covered(found.scopes))

    def entered(self, name: str, password: str) -> Caller | None:
        """Return the user of a name and password, or None. It takes as long for a name that nobody has."""
        found = named(self.listed(), name)
        if not proves(password, found.password if found else None) or found is None:
            return None
        return Caller(found.id, found.name, covered(found.scopes))

    def is_user(self, caller: Caller) -> bool:
        """Tell whether a caller is a user, and no key."""
        found = self._keys.get(caller.key or "")
        return found is not None and found.password is not None

    def signed_in(self, cookie: str) -> tuple[Caller, Session] | None:
        """Return who is signed in with a cookie, and their session; None when it is over or its key was revoked."""
        session = self.sessions.find(cookie)
        if session is None:
            return None
        if session.key == FILE:
            return Caller(FILE, "admin key file", covered(["admin"]), session.id), session
        found = self._keys.get(session.key)
        if found is None or found.revoked_ms is not None:
            return None
        return Caller(found.id, found.name, covered(found.scopes), session.id), session

    def ends_ms(self, session: Session) -> int:
        """Return when a session is over unless it is used (Unix ms)."""
        now = self._clock.now()
        return now.wall_ms + round((session.ends - now.seconds) * 1000)

    def in_force(self, caller: Caller) -> bool:
        """Tell whether a caller's key is still good, and their session not over."""
        if caller.session is not None and not self.sessions.holds(caller.session):
            return False
        found = self._keys.get(caller.key or "")
        return caller.key == FILE or (found is not None and found.revoked_ms is None)

    def due(self, caller: Caller) -> bool:
        """Tell whether a caller's use of their key is to be kept."""
        found = self._keys.get(caller.key or "")
        return found is not None and self._clock.now().wall_ms - (found.used_ms or 0) >= USED_EVERY_MS

    def used(self, caller: Caller) -> None:
        """Keep that a key was used now. A store that can't costs the request nothing."""
        now_ms = self._clock.now().wall_ms
        with self._lock:
            found = self._keys.get(caller.key or "")
            if found is None or now_ms - (found.used_ms or 0) < USED_EVERY_MS:
                return
            self._keys[found.id] = replace(found, used_ms=now_ms)
        try:
            self._records.use_key(found.id, now_ms)
        except StoreUnavailable as error:
            log.warning("key_use_not_kept", key=found.id, fault=str(error))

    def listed(self) -> list[Key]:
        """Return every key, oldest first, revoked ones too."""
        with self._lock:
            return sorted(self._keys.values(), key=lambda key: (key.created_ms, key.id))

    def noted(self, most: int, before: int | None = None) -> list[tuple[int, Entry]]:
        """Return at most `most` lines of the audit log with their numbers, newest first."""
        return self._records.noted(most, before)

    def make(self, name: str, scopes: Collection[Scope], by: Caller) -> tuple[str, Key]:
        """Make a key; return its token, which is nowhere afterwards, and what is kept.

        Raises:
            ValueError: see `keys.make`.
            StoreUnavailable: it could not be kept.
        """
        now_ms = self._clock.now().wall_ms
        token, key = make(name, scopes, now_ms)
        with self._lock:
            self._records.add_key(key, by.did(now_ms, "key.create", f"{key.id} {','.join(key.scopes)} {key.name}"))
            self._keys[key.id] = key
        return token, key

    def add_user(self, name: str, role: Role, password: str, by: Caller) -> Key:
        """Add a user.

        Raises:
            ValueError: see `passwords.user`, or there is a user of this name.
            StoreUnavailable: it could not be kept.
        """
        now_ms = self._clock.now().wall_ms
        made = user(name, role, password, now_ms)
        with self._lock:
            if named(self._keys.values(), name):
                raise ValueError("there is a user of this name")
            self._records.add_key(made, by.did(now_ms, "user.create", f"{made.id} {role} {made.name}"))
            self._keys[made.id] = made
        return made

    def change_password(self, user: str, password: str, by: Caller) -> Key | None:
        """Give a user another password, which ends their other sessions; None when there is no such user.

        Raises:
            ValueError: see `passwords.kept`.
            StoreUnavailable: it could not be kept; the one before is good.
        """
        found = self._keys.get(user)
        if found is None or found.password is None or found.revoked_ms is not None:
            return None
        hashed = kept(password, found.name)
        with self._lock:
            entry = by.did(self._clock.now().wall_ms, "user.password", f"{user} {found.name}")
            if not self._records.set_password(user, hashed, entry):
                return None
            self._keys[user] = replace(self._keys[user], password=hashed)
        self.sessions.end_others(user, by.session)
        return self._keys[user]

    def revoke(self, key: str, by: Caller) -> Key | None:
        """Revoke a key or user from the next request on; None when there is none. A revoked one stays so.

        Raises:
            StoreUnavailable: it could not be kept; the key is good until it can.
        """
        now_ms = self._clock.now().wall_ms
        with self._lock:
            found = self._keys.get(key)
            if found is None or found.revoked_ms is not None:
                return found
            self._records.revoke_key(key, now_ms, by.did(now_ms, "key.revoke", f"{key} {found.name}"))
            self._keys[key] = replace(found, revoked_ms=now_ms)
            return self._keys[key]
