"""Which network addresses may be opened: one rule for cameras, pictures and webhooks. Nothing here connects.

Python's ``is_global`` is no help: it is true for NAT64, 6to4, site-local and multicast addresses. The ranges are named
here instead, and an address that carries another one (IPv4 in IPv6) is judged by the one inside.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal

Reach = Literal["public", "lan", "here", "never"]
"""lan: private networks. here: this machine. never: what nobody has (link-local, cloud metadata, multicast ...)."""

_HERE: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1")))
_LAN: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
_METADATA: Final = tuple(
    map(
        ip_network,
        (
            "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
            "fd00:ec2::/64", "fd20:ce::/64", "fd00:42::42",
        ),
    )
)  # fmt: skip
"""What clouds tell their machines, credentials among it, at addresses that look like any other."""
_NEVER: Final = _METADATA + tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::", "64:ff9b:1::/48", "100::/64",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10", "ff00::/8",
        ),
    )
)  # fmt: skip
_CARRIERS: Final = tuple(map(ip_network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""IPv4 in IPv6: compatible, mapped, translated and NAT64; the address inside is the last 32 bits."""


def reach(text: str) -> Reach:
    """Tell how far away an IP address is.

    Raises:
        ValueError: `text` is no IP address.
    """
    address = _inner(ip_address(text))
    if any(address in network for network in _NEVER):
        return "never"
    if any(address in network for network in _HERE):
        return "here"
    return "lan" if any(address in network for network in _LAN) else "public"


def reach_of_host(host: str) -> Reach | None:
    """Tell how far away the host of a URL is; None for a name, which only a look-up places."""
    if host.rstrip(".").lower() == "localhost":
        return "here"
    try:
        return reach(host.strip("[]"))
    except ValueError:
        return None


def is_ip(host: str) -> bool:
    """Tell whether the host of a URL is an IP address, which needs no look-up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver for a host's IP addresses.

    Raises:
        OSError: there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # out of the IDNA codec: a part is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "no host has this name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address."""
    carried = any(address in network for network in _CARRIERS) and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if carried else address
