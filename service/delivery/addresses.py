"""Which network addresses a message may be sent to. Nothing here resolves or connects.

Python's ``is_global`` is no help: it is true for NAT64, 6to4, site-local and multicast addresses. The ranges are named
here instead, and an address that carries another one (IPv4 in IPv6) is judged by the one inside.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal

Reach = Literal["public", "lan", "never"]
"""lan: this machine and private networks. never: what no receiver has (link-local, cloud metadata, multicast ...)."""

_LAN: Final = tuple(
    map(
        ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "::1", "fc00::/7")
    )
)
_METADATA: Final = tuple(map(ip_network, ("169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
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
_NAT64: Final = ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ip_network("::/96")


def reach(text: str) -> Reach:
    """Tell how far away an IP address is.

    Raises:
        ValueError: `text` is no IP address.
    """
    address = _inner(ip_address(text))
    if any(address in network for network in _NEVER):
        return "never"
    return "lan" if any(address in network for network in _LAN) else "public"


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
