"""An MQTT broker that is told, for home automation and other machines."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from service.sitefile.filters import Filters
from service.sitefile.words import Variable

BROKER: Final = "mqtt"
"""The broker's name in the outbox."""
_LEVELS: Final = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"


class BrokerEntry(Filters):
    """The broker, and what it is told: its filters are those of endpoints."""

    url: str = Field(
        pattern=r"^mqtts?://[^\s/?#]+/?$", max_length=300, description="mqtt://HOST or mqtts://HOST (TLS), with a port."
    )
    user: str | None = Field(default=None, max_length=256)
    password_env: Variable | None = Field(default=None, description="Environment variable that holds the password.")
    ca_file: str | None = Field(
        default=None, max_length=1024, description="PEM file with the authority of the broker's certificate."
    )
    prefix: str = Field(default="ppe", pattern=_LEVELS, max_length=100, description="Begins every topic.")
    discovery_prefix: str | None = Field(
        default="homeassistant", pattern=_LEVELS, max_length=100, description="Of Home Assistant; null: it is not told."
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if "@" in url:
            raise ValueError("credentials don't belong into the url: write user: and password_env:")
        try:
            named = bool(urlsplit(url).hostname) and urlsplit(url).port != 0
        except ValueError:
            named = False
        if not named:
            raise ValueError("a broker looks like mqtt://HOST or mqtts://HOST:8883")
        return url

    @property
    def secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.url.startswith("mqtts:")

    @property
    def host(self) -> str:
        """Its host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        return urlsplit(self.url).port or (8883 if self.secure else 1883)

    @property
    def address(self) -> str:
        """A digest of where it is: tells whether it is another one."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]
