"""What is wrong with a site before it is started, and what it will need: nothing is opened, looked up or sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from service.sitefile import EndpointEntry, SiteFile

Remark: TypeAlias = "tuple[tuple[str, ...], str]"
"""The keys that lead to what is spoken of, and a sentence that repeats no secret."""


def faults(site: SiteFile) -> Iterator[Remark]:
    """Yield what keeps a site from starting or its alerts from leaving; variables that are not set stand elsewhere."""
    from service.cameras.opening import source_fault
    from service.delivery.catalogue import languages
    from service.delivery.endpoint import url_fault

    for name, camera in site.cameras.items():
        if fault := source_fault(camera.source):
            yield ("cameras", name, "source"), fault
    for name, endpoint in site.endpoints.items():
        if fault := url_fault(endpoint.url, lan=endpoint.lan):
            yield ("endpoints", name, "url"), fault
    for name, people in site.people.items():
        if people.language not in languages():
            yield (
                ("people", name, "language"),
                f"there are no texts in {people.language!r}, only in {', '.join(languages())}",
            )
    if site.mqtt and site.mqtt.ca_file and not Path(site.mqtt.ca_file).is_file():
        yield ("mqtt", "ca_file"), f"there is no file {site.mqtt.ca_file}"
    if site.mode != "observe":
        yield from _secret_faults(site)
        yield from _address_faults(site)


def later(site: SiteFile) -> Iterator[Remark]:
    """Yield what a site that is only observed will need once it alerts."""
    if site.mode != "observe":
        return
    yield from ((keys, f"{what} (once mode is alert; now nothing is sent)") for keys, what in _secret_faults(site))
    for name, endpoint in site.endpoints.items():
        for key, variable in _secrets(endpoint):
            if not os.environ.get(variable):
                what = f"{variable} is not set: it will be needed once mode is alert; now nothing is sent"
                yield ("endpoints", name, key), what
    for name, people in site.people.items():
        if not os.environ.get(people.url_env):
            what = f"{people.url_env} is not set: it will be needed once mode is alert; now nothing is sent"
            yield ("people", name, "url_env"), what


def _secret_faults(site: SiteFile) -> Iterator[Remark]:
    from service.delivery.endpoint import secret_fault

    for name, endpoint in site.endpoints.items():
        for key, variable in _secrets(endpoint):
            secret = os.environ.get(variable)
            if secret and (fault := secret_fault(secret)):
                yield ("endpoints", name, key), f"what {variable} holds is no secret: {fault}"


def _address_faults(site: SiteFile) -> Iterator[Remark]:
    """Yield the variables that hold what Apprise can't use; it is asked without sending anything."""
    from service.delivery.apprise_poster import ApprisePoster, urls_in

    for name, people in site.people.items():
        for url in urls_in(os.environ.get(people.url_env, "")):
            if fault := ApprisePoster(url).fault():
                yield ("people", name, "url_env"), fault


def _secrets(endpoint: EndpointEntry) -> Iterator[tuple[str, str]]:
    """Yield the keys that name an endpoint's variables, with those."""
    return zip(("secret_env", "previous_secret_env"), endpoint.secrets_env, strict=False)
