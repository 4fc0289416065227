"""Users who sign in with a password: what is kept of one, and whether it is the one.

Argon2id (RFC 9106) with 19 MiB and two passes, the least that OWASP's "Password Storage Cheat Sheet" asks for: some
30 ms and, for that long, those 19 MiB. What a password must be follows NIST SP 800-63B: long, whichever its signs are.
"""

from __future__ import annotations

import functools
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.keys import ROLES, Key, Role, check_name

SHORTEST: Final = 12
LONGEST: Final = 256
"""Characters of a password."""
_DIFFERENT: Final = 5
"""Characters that differ: less is a key held down."""
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def user(name: str, role: Role, password: str, at_ms: int) -> Key:
    """Make a user.

    Raises:
        ValueError: the name is empty, too long or more than a line, or see `kept`.
    """
    check_name(name)
    return Key(secrets.token_hex(4), name.strip(), "", ROLES[role], at_ms, password=kept(password, name))


def kept(password: str, name: str) -> str:
    """Return what is kept of a user's password.

    Raises:
        ValueError: it is too short, too long, of too few characters, or the name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < _DIFFERENT or known(password) == known(name):
        raise ValueError(f"a password has {_DIFFERENT} different characters at least, and is not the name")
    return _HASHER.hash(_same(password))


def proves(password: str, of: str | None) -> bool:
    """Tell whether it is the password of which something is kept; None is nobody's, and takes as long."""
    try:
        return _HASHER.verify(of or _nobodys(), _same(password)) and of is not None
    except (VerificationError, InvalidHashError):
        return False


def named(users: Iterable[Key], name: str) -> Key | None:
    """Return the user of a name, whichever its case; None when there is none, or none any more."""
    wanted = known(name)
    of_it = (one for one in users if one.password is not None and one.revoked_ms is None and known(one.name) == wanted)
    return next(of_it, None)


def known(name: str) -> str:
    """Return a name as it is compared."""
    return _same(name).strip().casefold()


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex(32))


def _same(text: str) -> str:
    """Return one form of what keyboards write in several."""
    return unicodedata.normalize("NFKC", text)
