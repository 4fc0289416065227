"""Passwords: what is kept of one, and who is proved by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.passwords import kept, named, proves, user

GOOD = "correct horse battery"
KEPT = kept(GOOD, "x")


def test_it_is_proved_and_not_kept() -> None:
    ann = user("Ann", "viewer", GOOD, 1)
    assert ann.password is not None
    assert ann.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in repr(ann)
    assert proves(GOOD, ann.password)
    assert not proves(GOOD.upper(), ann.password)
    assert ann.password != user("Ann", "viewer", GOOD, 1).password


@pytest.mark.parametrize("strange", [None, "", "$argon2id$", "plain"])
def test_nobody_is_proved_by_what_is_no_hash(strange: str | None) -> None:
    assert not proves("", strange)
    assert not proves(GOOD, strange)


@pytest.mark.parametrize("password", ["", "short", "x" * 257, "aaaaaaaaaaaaaaaa", "abababababab", "Shift Leader One"])
def test_what_is_no_password_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="a password has"):
        kept(password, "shift leader one")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines"])
def test_a_user_has_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="a name is one line"):
        user(name, "viewer", GOOD, 1)


def test_keyboards_write_the_same_letter_in_several_ways() -> None:
    assert proves("caf\u00e9 on the corner", kept("cafe\u0301 on the corner", "x"))


def test_a_name_is_found_in_any_case_while_its_user_is_there() -> None:
    ann = user(" Ann Lee ", "viewer", GOOD, 1)
    key = replace(ann, id="2", name="bob", password=None)
    assert named([key, ann], "ann LEE ") == ann
    assert named([key, ann], "bob") is None
    assert named([replace(ann, revoked_ms=2)], "Ann Lee") is None


@given(st.text(max_size=30))
def test_only_the_password_itself_proves(said: str) -> None:
    assert proves(said, KEPT) == (said == GOOD)
