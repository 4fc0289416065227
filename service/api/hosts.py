"""Under which names an open service may be asked.

A web page can have its own name lead to 127.0.0.1 (DNS rebinding); the browser then lets it read what a local service
answers. Such a request still carries the page's name in ``Host``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection


class Hosts:
    """The names that lead to this machine and no further, and those that an operator added."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset({"localhost", *(name.lower().rstrip(".") for name in names)})

    def takes(self, header: str) -> bool:
        """Tell whether a Host header names this service; its port says nothing."""
        host = _without_port(header.strip().lower()).rstrip(".")
        if host in self._names:
            return True
        try:
            return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
        except ValueError:
            return False


def _without_port(header: str) -> str:
    if header.startswith("["):
        host, bracket, port = header.partition("]")
        return f"{host}]" if bracket and _is_port(port) else ""
    host, colon, port = header.partition(":")
    return host if _is_port(colon + port) else ""


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit())
