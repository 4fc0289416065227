"""Who may ask, when the service starts: open to this machine, closed by any key, and nothing beyond it without one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.admission import admin_token, admission, refuse_exposed
from service.keys import Entry, make
from service.settings import Settings
from service.store.database import open_database
from service.store.keys import Keys
from service.store.store import Store
from service.wiring import WiringError

SECRET = "0123456789abcdef" * 4


def settings(folder: Path, **other: Any) -> Settings:
    return Settings(store=folder / "store", **other)


def key_file(folder: Path, text: str = f"{SECRET}\n") -> Path:
    path = folder / "key"
    path.write_text(text, encoding="utf-8")
    return path


def stored(folder: Path, *, revoked: bool = False) -> str:
    """Put a key into the store of a folder."""
    token, key = make("gate", ["read"], 1)
    with closing(open_database(folder / "store")) as database:
        keys = Keys(database)
        keys.add_key(key, Entry(1, None, "test", "key.create", key.id, "done"))
        if revoked:
            keys.revoke_key(key.id, 2, Entry(2, None, "test", "key.revoke", key.id, "done"))
    return token


def test_without_a_key_this_machine_is_let_in_and_no_store_is_made(tmp_path: Path) -> None:
    chosen = settings(tmp_path, allowed_hosts="ppe.lan, other.lan")
    refuse_exposed(chosen)
    with admission(chosen) as access:
        assert access.keyring is None
        assert access.hosts is not None
        assert [access.hosts.takes(name) for name in ("localhost", "ppe.lan", "other.lan", "evil")] == [True] * 3 + [
            False
        ]
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
@pytest.mark.parametrize("revoked", [True, False])
def test_beyond_this_machine_nothing_starts_without_a_key(tmp_path: Path, host: str, revoked: bool) -> None:
    chosen = settings(tmp_path, host=host)
    if revoked:
        stored(tmp_path, revoked=True)
    else:
        with pytest.raises(WiringError, match="there is no API key: make one with `ppe key create"):
            refuse_exposed(chosen)
    with pytest.raises(WiringError, match="PPE_ADMIN_KEY_FILE"), admission(chosen):
        pass
    open_database(tmp_path / "store").close()  # nobody holds it


def test_a_stored_key_closes_the_service_wherever_it_listens(tmp_path: Path) -> None:
    token = stored(tmp_path)
    for host in ("127.0.0.1", "0.0.0.0"):
        chosen = settings(tmp_path, host=host)
        refuse_exposed(chosen)
        with admission(chosen) as access:
            assert access.hosts is None
            assert access.keyring is not None
            caller = access.keyring.caller(token)
            assert caller is not None
            assert caller.name == "gate"
            assert access.keyring.caller(SECRET) is None


def test_a_revoked_key_is_none_and_the_store_is_left_alone(tmp_path: Path) -> None:
    stored(tmp_path, revoked=True)
    with admission(settings(tmp_path)) as access:
        assert access.keyring is None
        open_database(tmp_path / "store").close()


def test_the_key_of_a_file_may_everything_and_can_make_others(tmp_path: Path) -> None:
    chosen = settings(tmp_path, host="0.0.0.0", admin_key_file=key_file(tmp_path))
    refuse_exposed(chosen)
    with admission(chosen) as access:
        assert access.keyring is not None
        caller = access.keyring.caller(SECRET)
        assert caller is not None
        assert "admin" in caller.scopes
        token, _ = access.keyring.make("gate", ["detect"], caller)
    with admission(settings(tmp_path)) as access:
        assert access.keyring is not None
        assert access.keyring.caller(token)
        assert access.keyring.caller(SECRET) is None
    for path in (tmp_path / "store").iterdir():
        assert SECRET.encode() not in path.read_bytes()


def test_the_keys_of_a_watching_service_are_those_of_its_store(tmp_path: Path) -> None:
    token = stored(tmp_path)
    with Store(tmp_path / "store", []) as store:
        with admission(settings(tmp_path), store.keys) as access:
            assert access.keyring is not None
            assert access.keyring.caller(token)
        assert len(store.keys.keys()) == 1  # it is still open
        told = pytest.raises(WiringError, match=r"API keys can't be read: .*already open in another process")
        with told, admission(settings(tmp_path)):
            pass


@pytest.mark.parametrize("text", ["", "\n", "short", "x" * 31, f"{SECRET} {SECRET}", f"{SECRET}\n{SECRET}", "ü" * 40])
def test_a_file_without_a_key_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(WiringError, match="holds no key") as caught:
        admin_token(settings(tmp_path, admin_key_file=key_file(tmp_path, text)))
    assert len(text.strip()) < 3 or text.strip() not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WiringError, match=r"PPE_ADMIN_KEY_FILE: .*nowhere can't be read \(No such file"):
        admin_token(settings(tmp_path, admin_key_file=tmp_path / "nowhere"))
