"""Who is told: endpoints of a site file become senders; `people` says who tells people."""

from __future__ import annotations

import os

from service.ports import Clock, Endpoint, Sender
from service.sitefile import BROKER, PREFIX, SiteFile
from service.wiring.faults import WiringError


def endpoints_of(site: SiteFile) -> list[Endpoint]:
    """Return who is told, and of what. People who are told what others did not take up hear nothing from the outbox."""
    told = [Endpoint(name, entry.address, site.wants(name)) for name, entry in site.receivers.items()]
    first = [name for name in site.listeners if name not in site.last_resorts]
    told += [Endpoint(f"{PREFIX}{name}", wants=site.people_want(name)) for name in first]
    if broker := site.broker:
        told.append(Endpoint(BROKER, broker.address, lambda message: broker.wants(message, site.time_zone)))
    return told


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
