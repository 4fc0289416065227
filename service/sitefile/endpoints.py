"""Who is told by webhook."""

from __future__ import annotations

import hashlib

from pydantic import Field

from service.sitefile.filters import Filters
from service.sitefile.words import Variable


class EndpointEntry(Filters):
    """Whom webhooks are posted to; its key is its name."""

    url: str = Field(pattern=r"^https?://", max_length=2048, description="Where webhooks are posted to.")
    secret_env: Variable = Field(description="Environment variable with the whsec_ secret that signs them.")
    previous_secret_env: Variable | None = Field(
        default=None,
        description="Environment variable with the secret before, while receivers change to the new one: messages are "
        "signed with both.",
    )
    lan: bool = Field(default=False, description="The receiver is on this machine or network; plain http is taken.")

    @property
    def secrets_env(self) -> tuple[str, ...]:
        """The names of the variables with its secrets, the newest first."""
        return (self.secret_env,) if self.previous_secret_env is None else (self.secret_env, self.previous_secret_env)

    @property
    def address(self) -> str:
        """A digest of its URL: tells whether it has a new one."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]
