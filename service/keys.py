"""Who may ask what over HTTP: API keys, users, their scopes, and the audit log. Doors, as in `ports`.

A key is shown once, when it is made. What is kept is its SHA-256: of 256 random bits that is as good as secret, and
nothing that is stored lets anybody in. A user is kept as a key that nobody holds, with a password (`passwords`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

Scope = Literal["detect", "read", "operate", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
_ALSO: Final[dict[Scope, frozenset[Scope]]] = {
    "detect": frozenset(),
    "read": frozenset(),
    "operate": frozenset({"read"}),
    "admin": frozenset(SCOPES),
}
Role = Literal["viewer", "operator", "admin"]
ROLES: Final[dict[Role, tuple[Scope, ...]]] = {
    "viewer": ("detect", "read"),
    "operator": ("detect", "operate"),
    "admin": ("admin",),
}
"""What users may, by what they are."""
LONGEST_NAME: Final = 100
"""Characters of a key's name."""
_TOKEN: Final = re.compile(r"ppe_([0-9a-f]{8})_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is kept, or a user.

    Attributes:
        id: stands in the token, in lists and in the audit log; no secret.
        name: whose key it is, in the words of whoever made it; a user signs in by it.
        hash: hexadecimal SHA-256 of the whole token; empty of a user, who has none.
        created_ms, used_ms, revoked_ms: Unix ms; used to the hour.
        password: what is kept of a user's password (`passwords.kept`); None of a key.
    """

    id: str
    name: str
    hash: str
    scopes: tuple[Scope, ...]
    created_ms: int
    used_ms: int | None = None
    revoked_ms: int | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log.

    Attributes:
        at_ms: when it was written (Unix ms).
        key: id of the key that asked; None when none did.
        name: of the key, or who else it was.
        action: such as alert.acknowledge, key.create, authenticate.
        object: what it was done to.
        outcome: done, or the code of the problem that it ended with.
        times: how many such there were; more than one only of what was refused.
    """

    at_ms: int
    key: str | None
    name: str
    action: str
    object: str
    outcome: str
    times: int = 1


class KeyRecords(Protocol):
    """The keys that are kept, and the audit log, which only grows. Every method may raise `ports.StoreUnavailable`."""

    def keys(self) -> list[Key]:
        """Return every key, oldest first, revoked ones too."""
        ...

    def add_key(self, key: Key, entry: Entry) -> None:
        """Keep a key and the line that tells of it, in one transaction.

        Raises:
            ValueError: there is a key of this id.
        """
        ...

    def revoke_key(self, key: str, at_ms: int, entry: Entry) -> bool:
        """Revoke a key for good and write the line that tells of it; False when there is no such key or it was."""
        ...

    def set_password(self, user: str, password: str, entry: Entry) -> bool:
        """Keep another password (as `passwords.kept`) and the line that tells of it; False when no such user is."""
        ...

    def use_key(self, key: str, at_ms: int) -> None:
        """Note when a key was used last."""
        ...

    def note(self, entry: Entry) -> None:
        """Add a line to the audit log."""
        ...

    def noted(self, most: int, before: int | None = None) -> list[tuple[int, Entry]]:
        """Return at most `most` lines with their numbers, newest first; the next page is before the last number."""
        ...


def make(name: str, scopes: Collection[Scope], at_ms: int) -> tuple[str, Key]:
    """Make a key: the token, which is to be shown once, and what is kept of it.

    Raises:
        ValueError: the name is empty, too long or more than a line, or there is no scope.
    """
    check_name(name)
    if not scopes:
        raise ValueError(f"a key needs a scope: {', '.join(SCOPES)}")
    token = f"ppe_{secrets.token_hex(4)}_{secrets.token_hex(32)}"
    kept = tuple(scope for scope in SCOPES if scope in scopes)
    return token, Key(identity(token) or "", name.strip(), digest(token), kept, at_ms)


def check_name(name: str) -> None:
    """Refuse what can't be a name.

    Raises:
        ValueError: it is empty, too long or more than a line.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a name is one line of 1 to {LONGEST_NAME} characters")


def identity(token: str) -> str | None:
    """Return the id that a token names, or None when it has not the form of one."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def covered(scopes: Collection[Scope]) -> frozenset[Scope]:
    """Return all that scopes allow: operate also reads, admin may everything."""
    return frozenset(scopes).union(*(_ALSO[scope] for scope in scopes))
