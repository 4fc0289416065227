"""Where webhooks are posted to: what a URL may be, which addresses it may lead to, and whether somebody is there."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import httpcore
from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

from service.addresses import Reach, reach, reach_of_host, resolve
from service.delivery.network import Network, Refused, Resolve
from service.delivery.signing import signer

NEVER: Final = "the host's address is one that nothing is sent to (link-local, metadata, multicast or reserved)"
NOT_LAN: Final = "the host is on this machine or a private network, which this endpoint does not allow (lan: true does)"
NOT_SECURE: Final = "the host is not on a private network, so its URL must begin with https://"
PORTS: Final = {"http": 80, "https": 443}
CONNECTING: Final = 10.0
"""Seconds for finding out whether somebody is there."""


def parsed_url(url: str, *, lan: bool) -> AnyHttpUrl:
    """Parse a URL as browsers do, so that no spelling of an address means something else here than it does there.

    Raises:
        ValueError: it is none that a webhook can be posted to; the sentence does not repeat it.
    """
    try:
        parsed: AnyHttpUrl = TypeAdapter(AnyHttpUrl).validate_python(url)
    except ValidationError:
        raise ValueError("a webhook URL looks like https://host/path") from None  # the cause would repeat the URL
    if parsed.scheme != "https" and not lan:
        raise ValueError(
            "a webhook URL begins with https://; http:// is for receivers on a private network, with lan: true"
        )
    return parsed


def refusal(where: Reach, *, secure: bool, lan: bool) -> str:
    """Say why nothing is sent to an address, or ""."""
    if where == "never":
        return NEVER
    if where in {"lan", "here"} and not lan:
        return NOT_LAN
    return NOT_SECURE if where == "public" and not secure else ""


def url_fault(url: str, *, lan: bool) -> str:
    """Say what is wrong with an endpoint's URL, as far as can be told without a look-up, or ""; it is not repeated."""
    try:
        parsed = parsed_url(url, lan=lan)
    except ValueError as error:
        return str(error)
    where = reach_of_host(parsed.host or "")
    return refusal(where, secure=parsed.scheme == "https", lan=lan) if where else ""


def secret_fault(secret: str) -> str:
    """Say what is wrong with an endpoint's secret, or ""; it is not repeated."""
    try:
        signer(secret)
    except ValueError as error:
        return str(error)
    return ""


def shown_url(url: str) -> str:
    """Return an endpoint's URL fit for people: its login, path, query and fragment may each be a secret."""
    scheme = url.partition("://")[0]
    try:
        parsed = parsed_url(url, lan=True)
    except ValueError:
        return f"{scheme}://***"
    rest = f"{(parsed.path or '').removeprefix('/')}{parsed.query or ''}{parsed.fragment or ''}"
    if "@" in rest:  # a password with an unencoded / ? or #: what was read as the host may be a part of the login
        return f"{scheme}://***"
    port = "" if parsed.port == PORTS[parsed.scheme] else f":{parsed.port}"
    return f"{parsed.scheme}://{parsed.host}{port}{'/***' if rest else ''}"


def trust(authorities: Path | None = None) -> ssl.SSLContext:
    """Return what verifies receivers: the system's certificates, and those of a PEM file."""
    context = ssl.create_default_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def unreachable(
    url: str,
    *,
    lan: bool,
    authorities: Path | None = None,
    seconds: float = CONNECTING,
    resolve: Resolve = resolve,
) -> str:
    """Connect to an endpoint, with TLS for https, and hang up: nothing is posted, so no receiver takes it for an event.

    Returns:
        what keeps webhooks from arriving there, or "".
    """
    try:
        parsed = parsed_url(url, lan=lan)
    except ValueError as error:
        return str(error)
    secure, host = parsed.scheme == "https", (parsed.host or "").strip("[]")
    network = Network(lambda address: refusal(reach(address), secure=secure, lan=lan), resolve)
    network.begin(seconds)
    try:
        stream = network.connect_tcp(host, parsed.port or PORTS[parsed.scheme])
        if secure:
            stream = stream.start_tls(trust(authorities), server_hostname=host)
        stream.close()
    except (httpcore.TimeoutException, TimeoutError):
        return f"no answer within {seconds:g} s"
    except Refused as refused:
        return str(refused)
    except (httpcore.NetworkError, OSError) as error:
        return fault_of(error)
    return ""


def fault_of(error: Exception) -> str:
    """Say what went wrong in words of our own: a library's may repeat what it was given."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: the certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or 'handshake failed').lower().replace('_', ' ')}"
    if isinstance(error, httpcore.ConnectError):
        return str(error)  # our own network's words
    if isinstance(error, httpcore.ProtocolError):
        return "the answer is no HTTP, or none came"
    return "the connection was cut"
