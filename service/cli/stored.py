"""The store, opened for a command while no service runs, and the times that such commands read and tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from service.cli.opening import settings_for
from service.cli.terminal import out, refuse, shown

if TYPE_CHECKING:
    from service.store.store import Store


@contextmanager
def opened_store(what: str, *, forgetting: bool = False) -> Iterator[Store]:
    """Open the store, which must be there; one in a SQLite file no service may have open.

    Args:
        what: what can only be done while no service runs, as a sentence.
        forgetting: with the settings' limits, so that what is beyond them can be forgotten.
    """
    from service.store.address import address_of
    from service.store.errors import StoreError
    from service.store.store import Store
    from service.telemetry import configure_logging
    from service.wiring import limits

    settings = settings_for()
    configure_logging(settings.log_level, settings.log_format)
    if not settings.database and not (settings.store / "ppe.db").is_file():
        refuse(f"there is no store in {settings.store}; set PPE_STORE to the folder of the service")
    try:
        kept = limits(settings) if forgetting else None
        with Store(settings.store, (), limits=kept, address=address_of(settings)) as store:
            yield store
    except StoreError as error:
        refuse(f"{error} ({what})" if error.code == "STORE_LOCKED" else str(error))


def asked_ms(option: str, text: str | None) -> int | None:
    """Return a time as Unix milliseconds; it must say which time zone it is of."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        refuse(f"{option}: {text!r} is no ISO 8601 time, such as 2026-05-03T09:00:00+02:00")
    if at.tzinfo is None:
        refuse(f"{option}: {text!r} does not say of which time zone it is; write {text}+02:00 or {text}Z")
    return round(at.timestamp() * 1000)


def told_time(ms: int) -> str:
    """Return Unix milliseconds as people read them."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def size_words(count: int) -> str:
    """Return bytes as people read them."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def tell(line: str) -> None:
    """Print one line of results, as it is."""
    out().print(shown(line), markup=False, soft_wrap=True)
