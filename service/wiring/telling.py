"""Who is told: endpoints of a site file become senders."""

from __future__ import annotations

import os

from service.ports import Clock, Endpoint, Sender
from service.sitefile import SiteFile
from service.wiring.faults import WiringError


def endpoints_of(site: SiteFile) -> list[Endpoint]:
    """Return who is told, and of what."""
    return [Endpoint(name, entry.address, site.wants(name)) for name, entry in site.receivers.items()]


def senders_of(site: SiteFile, clock: Clock) -> dict[str, Sender]:
    """Return who sends to each endpoint: nobody when the site is only observed."""
    from service.delivery.webhook import WebhookSender

    senders: dict[str, Sender] = {}
    for name, endpoint in site.receivers.items():
        try:
            secrets = [os.environ.get(variable, "") for variable in endpoint.secrets_env]
            senders[name] = WebhookSender(endpoint.url, secrets, clock, lan=endpoint.lan)
        except ValueError as error:
            raise WiringError(f"endpoint {name}: {error}") from error
    return senders
