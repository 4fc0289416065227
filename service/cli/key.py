"""``ppe key``, ``ppe user`` and ``ppe audit``: who may ask over HTTP, and what was done, while no service runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.opening import settings_for
from service.cli.terminal import out, refuse, say, shown

if TYPE_CHECKING:
    from service.keys import Entry, Key, Scope
    from service.store.keys import Keys

EXAMPLES = """
**Examples**

`ppe key create "gate camera" --scope detect`

`ppe key create dashboard --scope read --scope detect > dashboard.key`

**Exit codes**: 0 the key is on stdout, this once; 2 none was made.
"""

USERS = """
**Examples**

`ppe user create "shift leader" --role operator`

`ppe user create office --role viewer --password-file - < password.txt`

**Exit codes**: 0 they can sign in; 2 nothing was changed.
"""

key = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys. The service must be stopped.")
user = typer.Typer(
    no_args_is_help=True,
    help="Add people who sign in at the screen with a name and a password. The service must be stopped. "
    "'ppe key list' lists them too, 'ppe key revoke' lets them in no more.",
)
PasswordFile = Annotated[
    str,
    typer.Option("--password-file", help="File with the password on its first line; - is stdin. Else you are asked."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(key, name="key")
    app.add_typer(user, name="user")
    app.command("audit")(audit_command)


@key.command("create", epilog=EXAMPLES)
def create_command(
    name: Annotated[str, typer.Argument(help="Whose key it is, in your words.", show_default=False)],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            help="What it may, once for each: detect (judge pictures), read (alerts, cameras, statistics), operate "
            "(read, acknowledge, snooze, false alarms) or admin (all, and keys and the audit log).",
            show_default=False,
        ),
    ],
) -> None:
    """Make a key and print it, this once: only its SHA-256 is kept."""
    from service.keys import make

    now_ms = time.time_ns() // 1_000_000
    try:
        token, made = make(name, _scopes(scope), now_ms)
    except ValueError as error:
        refuse(str(error))
    with _keys(make=True) as keys:
        keys.add_key(made, _entry(now_ms, "key.create", f"{made.id} {','.join(made.scopes)} {made.name}"))
    say(f"key {made.id} ({', '.join(made.scopes)}), shown this once:")
    sys.stdout.write(f"{token}\n")


@key.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List every key and user, revoked ones too; of keys and passwords themselves nothing can be shown."""
    with _keys() as keys:
        found = keys.keys()
    if as_json:
        rows = [
            {name: value for name, value in asdict(one).items() if name not in {"hash", "password"}}
            | {"kind": _kind(one)}
            for one in found
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for one in found:
        used = f"used {_time(one.used_ms)}" if one.used_ms is not None else "never used"
        state = f"revoked {_time(one.revoked_ms)}" if one.revoked_ms is not None else used
        _tell(f"{one.id}  {_kind(one)}  {','.join(one.scopes)}  {one.name}  made {_time(one.created_ms)}, {state}")


@key.command("revoke")
def revoke_command(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Of the key or user, as the list has it.", show_default=False)
    ],
) -> None:
    """Take a key or user out of force, for good."""
    now_ms = time.time_ns() // 1_000_000
    with _keys() as keys:
        known = {one.id: one for one in keys.keys()}  # noqa: SIM118 - no dict
        if identity not in known:
            refuse(f"there is no key {shown(identity)}; ppe key list lists them")
        if not keys.revoke_key(identity, now_ms, _entry(now_ms, "key.revoke", f"{identity} {known[identity].name}")):
            refuse(f"key {identity} is revoked already")
        left = [one for one in keys.keys() if one.revoked_ms is None]  # noqa: SIM118 - no dict
    _tell(f"revoked: {identity}")
    if not left:
        say("that was the last key: from its next start on, a service on loopback is open to everybody on this machine")


@user.command("create", epilog=USERS)
def create_user_command(
    name: Annotated[str, typer.Argument(help="By which they sign in.", show_default=False)],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="viewer (looks on), operator (acknowledges and marks alerts) or admin (all).",
            show_default=False,
        ),
    ],
    password_file: PasswordFile = "",
) -> None:
    """Add somebody who signs in at the screen."""
    from service.keys import ROLES
    from service.passwords import named
    from service.passwords import user as make_user

    known = next((one for one in ROLES if one == role), None)
    if known is None:
        refuse(f"--role: {shown(role)} is none of {', '.join(ROLES)}")
    now_ms = time.time_ns() // 1_000_000
    try:
        made = make_user(name, known, _password(password_file), now_ms)
    except ValueError as error:
        refuse(str(error))
    with _keys(make=True) as keys:
        if named(keys.keys(), name):
            refuse(f"there is a user {shown(name)} already; ppe user password gives them another password")
        keys.add_key(made, _entry(now_ms, "user.create", f"{made.id} {known} {made.name}"))
    _tell(f"added: {made.id} {made.name} ({known})")


@user.command("password", epilog=USERS)
def password_command(
    name: Annotated[str, typer.Argument(help="By which they sign in.", show_default=False)],
    password_file: PasswordFile = "",
) -> None:
    """Give a user another password."""
    from service.passwords import kept, named

    now_ms = time.time_ns() // 1_000_000
    with _keys() as keys:
        found = named(keys.keys(), name)
        if found is None:
            refuse(f"there is no user {shown(name)}; ppe key list lists them")
        try:
            hashed = kept(_password(password_file), found.name)
        except ValueError as error:
            refuse(str(error))
        keys.set_password(found.id, hashed, _entry(now_ms, "user.password", f"{found.id} {found.name}"))
    _tell(f"changed: {found.id} {found.name}")


def audit_command(
    most: Annotated[int, typer.Option("--most", min=1, help="Lines, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what was done over HTTP and with keys, and who was refused. The service must be stopped."""
    with _keys() as keys:
        found = keys.noted(most)
    if as_json:
        sys.stdout.write(json.dumps([{"number": number, **asdict(entry)} for number, entry in found]) + "\n")
        return
    for _, entry in found:
        who = f"{entry.key} {entry.name}" if entry.key else entry.name or "nobody known"
        often = f" ({entry.times} times)" if entry.times > 1 else ""
        _tell(f"{_time(entry.at_ms)}  {who}  {entry.action}  {entry.object}  {entry.outcome}{often}")


def _kind(one: Key) -> str:
    return "key" if one.password is None else "user"


def _password(file: str) -> str:
    """Return the password that a file holds; without one, ask for it twice."""
    if not file:
        if not sys.stdin.isatty():
            refuse("nobody is there to type a password; --password-file - reads it from stdin")
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        lines = (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"--password-file {shown(file)}: can't be read as text ({type(error).__name__})")
    return lines[0] if lines else ""


def _scopes(words: list[str]) -> list[Scope]:
    from service.keys import SCOPES

    found = [scope for scope in SCOPES if scope in words]
    if strange := set(words) - set(SCOPES):
        refuse(f"--scope: {shown(min(strange))} is none of {', '.join(SCOPES)}")
    return found


def _entry(at_ms: int, action: str, what: str) -> Entry:
    from service.keys import Entry

    return Entry(at_ms, None, "command line", action, what, "done")


@contextmanager
def _keys(*, make: bool = False) -> Iterator[Keys]:
    """Open the store's keys, for this command alone; with `make`, where there is no store, one is made."""
    from service.store.address import address_of
    from service.store.database import open_database
    from service.store.errors import StoreError
    from service.store.keys import Keys
    from service.telemetry import configure_logging

    settings = settings_for()
    configure_logging(settings.log_level, settings.log_format)
    if not make and not settings.database and not (settings.store / "ppe.db").exists():
        refuse(f"there is no store in {settings.store}, and so no key; PPE_STORE names another folder")
    try:
        database = open_database(settings.store, address_of(settings))
    except StoreError as error:
        running = error.code == "STORE_LOCKED"
        refuse(
            f"{error}; while a service runs, ask it: /v1/keys and /v1/audit, with an admin key"
            if running
            else f"{error}"
        )
    try:
        yield Keys(database)
    except StoreError as error:
        refuse(str(error))
    finally:
        database.close()


def _time(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _tell(sentence: str) -> None:
    out().print(shown(sentence), markup=False, soft_wrap=True)
