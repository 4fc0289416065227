"""Where the database is that the settings name."""

from __future__ import annotations

from sqlalchemy import URL, make_url

from service.settings import Settings
from service.store.errors import StoreError


def address_of(settings: Settings) -> URL | None:
    """Return the address of the PostgreSQL database; None: the database is the SQLite file in the store's folder.

    The address holds the password, and shows it to nobody who prints it. Without PPE_DATABASE_PASSWORD_FILE the driver
    looks for one itself, in PGPASSWORD and in ~/.pgpass.

    Raises:
        StoreError: the password's file can't be read, or holds no password.
    """
    if not settings.database:
        return None
    address = make_url(settings.database).set(drivername="postgresql+psycopg")
    file = settings.database_password_file
    if file is None:
        return address
    try:
        password = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StoreError("STORE_AWAY", f"PPE_DATABASE_PASSWORD_FILE: {file} can't be read: {why}") from None
    if not password or "\n" in password:
        raise StoreError("STORE_AWAY", f"PPE_DATABASE_PASSWORD_FILE: {file} holds no password: one line is expected")
    return address.set(password=password)
