"""Who is signed in at the screen: sessions in memory, each known by a cookie that no script can read.

A session is its key's or user's: what they may, it may, and it ends when they are revoked. Only the digest of a cookie
is kept. A restart ends all sessions.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from service.keys import digest
from service.ports import Clock

COOKIE: Final = "ppe_session"
IDLE: Final = 12 * 3600.0
"""Seconds without a request after which a session is over; a screen that is shown asks all the time."""
LONGEST: Final = 7 * 86_400.0
"""Seconds after which it is over in any case."""
MOST: Final = 1000
"""Sessions at once; one more ends the one that was used least lately."""
TRIES: Final = 10
WITHIN: Final = 60.0
"""So many keys or passwords that are none in so many seconds, and an address waits."""
ADDRESSES: Final = 1000
"""Addresses whose tries are remembered."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in.

    Attributes:
        id: digest of its cookie.
        key: id of the key or user that it was begun with.
        csrf: what every request that changes something repeats; pages of another origin can't know it.
        began, used: by the clock's monotonic seconds.
    """

    id: str
    key: str
    csrf: str
    began: float
    used: float

    @property
    def ends(self) -> float:
        """When it is over unless it is used, by the clock's monotonic seconds."""
        return min(self.used + IDLE, self.began + LONGEST)

    def confirmed(self, token: str) -> bool:
        """Tell whether a request repeats the session's token."""
        return hmac.compare_digest(self.csrf.encode(), token.encode("utf-8", "surrogatepass"))


class Sessions:
    """The sessions of a running service. Any thread may call it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def begin(self, key: str) -> tuple[str, Session]:
        """Begin a session of a key; return the cookie's value, which is kept nowhere, and the session."""
        cookie, now = secrets.token_urlsafe(32), self._clock.now().seconds
        session = Session(digest(cookie), key, secrets.token_urlsafe(32), now, now)
        with self._lock:
            self._sessions[session.id] = session
            while len(self._sessions) > MOST:
                self._sessions.popitem(last=False)
        return cookie, session

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, which is used now; None when there is none, or none any more."""
        now = self._clock.now().seconds
        with self._lock:
            found = self._sessions.get(digest(cookie))
            if found is None:
                return None
            if now >= found.ends:
                del self._sessions[found.id]
                return None
            self._sessions[found.id] = replace(found, used=now)
            self._sessions.move_to_end(found.id)
            return self._sessions[found.id]

    def holds(self, session: str) -> bool:
        """Tell whether a session goes on, by its id."""
        found = self._sessions.get(session)
        return found is not None and self._clock.now().seconds < found.ends

    def end(self, session: str) -> None:
        """End a session, by its id."""
        with self._lock:
            self._sessions.pop(session, None)

    def end_others(self, key: str, but: str | None) -> None:
        """End all sessions of a key or user but one."""
        with self._lock:
            for session in [one for one in self._sessions.values() if one.key == key and one.id != but]:
                del self._sessions[session.id]

    def wait(self, address: str) -> float:
        """Return 0 when an address may try a key or password, or the seconds until it may."""
        since, failed = self._failed.get(address, (0.0, 0))
        return max(0.0, since + WITHIN - self._clock.now().seconds) if failed >= TRIES else 0.0

    def tried(self, address: str) -> None:
        """Count a try, before anybody knows whether it is one that fails."""
        now = self._clock.now().seconds
        with self._lock:
            since, failed = self._failed.pop(address, (now, 0))
            self._failed[address] = (since, failed + 1) if now - since < WITHIN else (now, 1)
            while len(self._failed) > ADDRESSES:
                self._failed.popitem(last=False)

    def passed(self, address: str) -> None:
        """Take back the count of a try that did not fail."""
        with self._lock:
            since, failed = self._failed.pop(address, (0.0, 0))
            if failed > 1:
                self._failed[address] = since, failed - 1
