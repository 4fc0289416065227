"""What several parts of a site file have: names of variables, schedules, lists that say something."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from service.safety.site import Shift


def _no_secret(name: str) -> str:
    if name.startswith("whsec_"):
        raise ValueError("this is the secret itself: write the name of the environment variable that holds it")
    return name


Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128), AfterValidator(_no_secret)]
"""Name of an environment variable that holds a secret; the secret itself never stands in the file."""


T = TypeVar("T")


def _can_hold(schedule: tuple[Shift, ...]) -> tuple[Shift, ...]:
    if any(side.tzinfo for shift in schedule for side in (shift.start, shift.end)):
        raise ValueError("times are local: write 07:00, without Z or an offset (time_zone says which)")
    if not all(shift.days for shift in schedule):
        raise ValueError("a shift without days never holds; leave days out for every day")
    return schedule


def _not_empty(listed: tuple[T, ...]) -> tuple[T, ...]:
    if not listed:
        raise ValueError("an empty list would take nothing; leave it out to take all")
    return listed


Schedule = Annotated[tuple[Shift, ...], AfterValidator(_can_hold)]
Some = Annotated[tuple[T, ...], AfterValidator(_not_empty)]
"""A list that says something: one that is written out is not empty."""
