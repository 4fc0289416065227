"""Who may ask over HTTP, when the service starts: settings and stored keys become the API's access.

Without any key the service is open, to this machine only; beyond it nothing starts without a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from service.settings import Settings, listed
from service.wiring import WiringError

if TYPE_CHECKING:
    from service.api.gate import Access
    from service.keys import KeyRecords

SHORTEST: Final = 32
LONGEST: Final = 1024
"""Characters of a key that a file holds."""


def admin_token(settings: Settings) -> str | None:
    """Return the key that PPE_ADMIN_KEY_FILE holds, or None when no file is named.

    Raises:
        WiringError: it can't be read, or what it holds is no key. The sentence holds nothing of it.
    """
    path = settings.admin_key_file
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            token = file.read(LONGEST).decode("ascii").strip()
    except OSError as error:
        raise WiringError(f"PPE_ADMIN_KEY_FILE: {path} can't be read ({error.strerror})") from error
    except ValueError:
        token = ""
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise WiringError(
            f"PPE_ADMIN_KEY_FILE: {path} holds no key: one line of {SHORTEST} or more letters and digits, such as "
            "`openssl rand -hex 32` prints"
        )
    return token


def refuse_exposed(settings: Settings) -> None:
    """Refuse to listen beyond this machine where there can't be a key: before anything is loaded.

    Raises:
        WiringError: there is none, or the file that is to hold one does not.
    """
    if admin_token(settings) is None and not _stored(settings):
        _refuse_without_keys(settings)


@contextmanager
def admission(settings: Settings, records: KeyRecords | None = None) -> Iterator[Access]:
    """Decide who may ask, while the context lasts.

    Args:
        settings: where keys are, and what is allowed without.
        records: the keys of a store that is open already. Without them the store's database is opened where there is
            one, or where there is an admin key, which may make others.

    Raises:
        WiringError: the service would be open beyond this machine, or the keys can't be read.
    """
    from service.api.audit import Audit
    from service.api.gate import Access
    from service.api.hosts import Hosts
    from service.api.keyring import Keyring
    from service.api.rates import Rates
    from service.ports import StoreUnavailable
    from service.worker.clock import SystemClock

    clock, token = SystemClock(), admin_token(settings)
    rates = Rates(settings.rate_per_minute, clock)
    with ExitStack() as stack:
        if records is None and (token is not None or _stored(settings)):
            opening = stack.enter_context(ExitStack())
            records = opening.enter_context(_records(settings))
        else:
            opening = stack
        try:
            keyring = Keyring(records, clock, token) if records is not None else None
        except StoreUnavailable as error:
            raise WiringError(str(error)) from error
        if keyring is not None and not keyring.empty:
            yield Access(keyring, None, rates, Audit(records, clock))
            return
        _refuse_without_keys(settings)
        if opening is not stack:
            opening.close()  # nobody needs it: whoever makes the first key may
            records = None
        yield Access(None, Hosts(listed(settings.allowed_hosts)), rates, Audit(records, clock))


def _stored(settings: Settings) -> bool:
    """Tell whether there is a database that may hold keys."""
    return bool(settings.database) or (settings.store / "ppe.db").exists()


def _refuse_without_keys(settings: Settings) -> None:
    if not settings.loopback:
        raise WiringError(
            f"{settings.host} is reached from other machines, and there is no API key: make one with "
            "`ppe key create NAME --scope detect`, or name a file that holds one in PPE_ADMIN_KEY_FILE"
        )


@contextmanager
def _records(settings: Settings) -> Iterator[KeyRecords]:
    from service.store.address import address_of
    from service.store.database import open_database
    from service.store.errors import StoreError
    from service.store.keys import Keys

    try:
        database = open_database(settings.store, address_of(settings))
    except StoreError as error:
        raise WiringError(f"API keys can't be read: {error}") from error
    try:
        yield Keys(database)
    finally:
        database.close()
