"""Who is told as people are: in a chat, by mail, on a phone."""

from __future__ import annotations

from pydantic import Field, model_validator

from service.safety.site import Name
from service.sitefile.filters import Filters
from service.sitefile.words import Schedule, Variable

PREFIX = "people:"
"""Begins the name that people have in the outbox, so that a webhook's endpoint may be called the same."""


class PeopleEntry(Filters):
    """People who are told of alerts; the key is their name. Times are in seconds."""

    url_env: Variable = Field(
        description="Environment variable with one or several Apprise URLs, spaces or line ends between."
    )
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$", description="Of the messages: en, ko.")
    pictures: bool = Field(default=True, description="Sends pictures, with people marked, along.")
    resolved: bool = Field(default=False, description="Says as well when no alert of a place is open any more.")
    first_after: float = Field(
        default=10.0, ge=0, le=600, description="From the first alert of a place and equipment to the message."
    )
    again_after: float = Field(
        default=300.0,
        ge=1,
        le=86_400,
        description="From that message to the next one of the same; each later one waits twice as long as the one "
        "before, up to remind_after.",
    )
    remind_after: float = Field(
        default=1800.0, ge=1, le=86_400, description="From a message to the reminder that nobody took up what is open."
    )
    most_an_hour: int = Field(default=12, ge=1, le=1000, description="Most messages in any hour; the rest waits.")
    escalate_to: Name | None = Field(default=None, description="People who are told when nobody takes it up.")
    escalate_after: float = Field(default=900.0, ge=0, le=86_400, description="How long nobody has taken it up then.")
    quiet: Schedule = Field(
        default=(), description="Quiet hours: only alerts of high severity are sent; the rest at their end, in one."
    )

    @model_validator(mode="after")
    def _no_shorter(self) -> PeopleEntry:
        if self.remind_after < self.again_after:
            raise ValueError("remind_after must not be shorter than again_after")
        return self

    @property
    def filtered(self) -> bool:
        """Whether anything is left out by a filter."""
        return any(getattr(self, name) for name in Filters.model_fields)
