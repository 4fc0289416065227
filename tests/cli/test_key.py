"""``ppe key`` and ``ppe audit`` on real stores."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from service.keys import digest, identity
from service.passwords import proves
from service.store.database import open_database
from service.store.keys import Keys
from service.store.store import Store
from tests.cli.workers import run
from tests.conftest import ROOT


def ppe(folder: Path, *arguments: str) -> Result:
    return run(*arguments, PPE_STORE=str(folder), PPE_LOG_LEVEL="error", COLUMNS="200")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def create(folder: Path, name: str, *scopes: str) -> str:
    told = ppe(folder, "key", "create", name, *(word for scope in scopes for word in ("--scope", scope)))
    assert told.exit_code == 0, told.stderr
    return told.stdout.strip()


def test_a_key_is_shown_once_and_never_again(folder: Path) -> None:
    token = create(folder, "gate camera", "detect", "read")
    key = identity(token)
    assert key is not None
    listed = ppe(folder, "key", "list").stdout
    assert listed.startswith(f"{key}  key  detect,read  gate camera  made ")
    assert listed.endswith(", never used\n")
    (row,) = json.loads(ppe(folder, "key", "list", "--json").stdout)
    assert (row["id"], row["scopes"], row["revoked_ms"]) == (key, ["detect", "read"], None)
    told = listed + json.dumps(row) + ppe(folder, "audit").stdout + ppe(folder, "audit", "--json").stdout
    assert token.rpartition("_")[2] not in told
    assert digest(token) not in told


def test_a_revoked_key_stays_in_the_list_and_the_last_one_is_a_warning(folder: Path) -> None:
    one, two = (identity(create(folder, name, "read")) or "" for name in ("one", "two"))
    first = ppe(folder, "key", "revoke", one)
    assert (first.stdout, first.stderr) == (f"revoked: {one}\n", "")
    assert "that was the last key" in ppe(folder, "key", "revoke", two).stderr
    assert ppe(folder, "key", "list").stdout.count(", revoked 20") == 2
    again = ppe(folder, "key", "revoke", one)
    assert (again.exit_code, again.stderr) == (2, f"ppe: key {one} is revoked already\n")


def test_the_audit_log_tells_of_keys_newest_first(folder: Path) -> None:
    key = identity(create(folder, "gate", "operate")) or ""
    ppe(folder, "key", "revoke", key)
    lines = ppe(folder, "audit").stdout.splitlines()
    assert [line.split("Z  ", 1)[1] for line in lines] == [
        f"command line  key.revoke  {key} gate  done",
        f"command line  key.create  {key} operate gate  done",
    ]
    (entry,) = json.loads(ppe(folder, "audit", "--json", "--most", "1").stdout)
    assert (entry["action"], entry["object"], entry["number"]) == ("key.revoke", f"{key} gate", 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "x", "--scope", "everything"), "everything is none of detect, read, operate, admin"),
        (("create", " ", "--scope", "read"), "a name is one line"),
        (("create", "x"), "--scope"),
        (("revoke", "1a2b3c4d"), "there is no key 1a2b3c4d"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    create(folder, "one", "read")
    told = ppe(folder, "key", *arguments)
    assert told.exit_code == 2
    assert says in told.stderr
    assert told.stdout == ""


def test_a_running_service_keeps_its_keys_and_says_where_to_ask(folder: Path) -> None:
    with Store(folder, []):
        told = ppe(folder, "key", "list")
    assert told.exit_code == 2
    assert "already open in another process (pid " in told.stderr
    assert "ask it: /v1/keys and /v1/audit" in told.stderr


@pytest.mark.parametrize("arguments", [("key", "list"), ("key", "revoke", "1a2b3c4d"), ("audit",)])
def test_only_making_a_key_makes_a_store(folder: Path, arguments: tuple[str, ...]) -> None:
    told = ppe(folder, *arguments)
    assert told.exit_code == 2
    assert "there is no store in" in told.stderr
    assert not folder.exists()


@pytest.mark.parametrize("command", ["key create", "key list", "key revoke", "user create", "user password", "audit"])
def test_every_option_is_documented(command: str) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.partition("\n## ppe key, ppe user, ppe audit\n")[2].partition("\n## ")[0]
    assert f"`ppe {command}" in section
    help_text = run(*command.split(), "--help", COLUMNS="200").stdout
    options = {word.strip(",") for word in help_text.split() if word.startswith("--")} - {"--help"}
    for option in options:
        assert option in section, f"docs/cli.md does not explain {option} of ppe {command}"


def add_user(folder: Path, name: str, password: str = "correct horse battery", role: str = "operator") -> Result:
    return run(
        "user",
        "create",
        name,
        "--role",
        role,
        "--password-file",
        "-",
        PPE_STORE=str(folder),
        PPE_LOG_LEVEL="error",
        typed=f"{password}\n",
    )


def test_a_user_is_added_given_another_password_and_revoked(folder: Path) -> None:
    told = add_user(folder, "Ann")
    assert (told.exit_code, told.stdout.split(" ", 2)[2]) == (0, "Ann (operator)\n")
    user = told.stdout.split(" ")[1]
    assert ppe(folder, "key", "list").stdout.startswith(f"{user}  user  detect,operate  Ann  made ")
    again = add_user(folder, "ann")
    assert (again.exit_code, "there is a user ann already" in again.stderr) == (2, True)
    (folder / "password").write_text("staple the donkey\nsecond line\n", encoding="utf-8")
    changed = ppe(folder, "user", "password", "ANN", "--password-file", str(folder / "password"))
    assert (changed.exit_code, changed.stdout) == (0, f"changed: {user} Ann\n")
    with closing(open_database(folder)) as database:
        (kept,) = Keys(database).keys()
    assert proves("staple the donkey", kept.password)
    told_of = ppe(folder, "audit").stdout + ppe(folder, "key", "list", "--json").stdout
    assert "user.password" in told_of
    assert "argon2" not in told_of
    assert ppe(folder, "key", "revoke", user).exit_code == 0
    gone = ppe(folder, "user", "password", "ann", "--password-file", str(folder / "password"))
    assert (gone.exit_code, "there is no user ann" in gone.stderr) == (2, True)


@pytest.mark.parametrize(
    ("password", "role", "says"),
    [
        ("short", "viewer", "a password has 12 to 256 characters"),
        ("correct horse battery", "owner", "owner is none of viewer, operator, admin"),
    ],
)
def test_what_is_no_user_is_refused(folder: Path, password: str, role: str, says: str) -> None:
    told = add_user(folder, "Ann", password, role)
    assert (told.exit_code, says in told.stderr) == (2, True)
    assert not folder.exists()


def test_a_password_that_nobody_can_type_is_asked_for_by_a_file(folder: Path) -> None:
    told = ppe(folder, "user", "create", "Ann", "--role", "viewer")
    assert (told.exit_code, "--password-file - reads it from stdin" in told.stderr) == (2, True)
    missing = ppe(folder, "user", "create", "Ann", "--role", "viewer", "--password-file", str(folder / "none"))
    assert (missing.exit_code, "can't be read as text (FileNotFoundError)" in missing.stderr) == (2, True)
