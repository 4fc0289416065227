"""A camera's host is looked up, checked and connected to; what goes wrong becomes a fault."""

from __future__ import annotations

import socket
import ssl
import time
from urllib.parse import SplitResult

from service.addresses import reach, resolve
from service.cameras.address import REFUSED, SCHEMES
from service.cameras.orders import FeedError


def connect(parts: SplitResult, seconds: float, *, loopback: bool) -> socket.socket:
    """Connect to a URL's host, with TLS for rtsps and https.

    The address that was checked is the one that is connected to. The certificate of an https camera is verified; that
    of an rtsps camera is not, as FFmpeg does not either.

    Raises:
        FeedError: unknown, refused, unreachable, silent or with a certificate that is not trusted.
    """
    deadline = time.monotonic() + seconds
    failed: Exception = OSError("no address")
    try:
        for address in allowed(parts, loopback=loopback):
            try:
                left = max(0.1, deadline - time.monotonic())
                link = socket.create_connection(address, left)
            except OSError as error:
                failed = error
                continue
            return _secured(link, parts)
        raise failed
    except OSError as error:
        raise blamed(error) from error


def allowed(parts: SplitResult, *, loopback: bool) -> list[tuple[str, int]]:
    """Look up a URL's host.

    Returns:
        its addresses and the port.

    Raises:
        OSError: the name is unknown.
        FeedError: one of its addresses may not be opened.
    """
    port = parts.port or SCHEMES[parts.scheme]
    addresses = resolve(str(parts.hostname), port)
    if not all(may_open(address, loopback=loopback) for address in addresses):
        raise FeedError("SOURCE_REFUSED", REFUSED)
    return [(address, port) for address in addresses]


def may_open(address: str, *, loopback: bool) -> bool:
    """Tell whether a camera may be at an IP address; at one of this machine only when `loopback` is True."""
    where = reach(address)
    return where != "never" and (loopback or where != "here")


def blamed(error: OSError) -> FeedError:
    """Return what an error of the network means, in words that hold no address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return FeedError("STREAM_CONNECTION_FAILED", "The camera's certificate is not trusted.")
    if isinstance(error, ssl.SSLError):
        return FeedError("STREAM_CONNECTION_FAILED", "The camera does not speak TLS as expected.")
    if isinstance(error, TimeoutError):
        return FeedError("STREAM_TIMEOUT", "The camera does not answer in time.")
    if isinstance(error, socket.gaierror):
        return FeedError("STREAM_CONNECTION_FAILED", "The host's name is unknown.")
    if isinstance(error, ConnectionRefusedError):
        return FeedError("STREAM_CONNECTION_FAILED", "Nothing listens at the port of this host.")
    return FeedError("STREAM_CONNECTION_FAILED", f"The network says: {error.strerror or 'connection lost'}.")


def _secured(link: socket.socket, parts: SplitResult) -> socket.socket:
    if parts.scheme not in {"https", "rtsps"}:
        return link
    context = ssl.create_default_context()
    if parts.scheme == "rtsps":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(link, server_hostname=parts.hostname)
    except OSError:
        link.close()
        raise
