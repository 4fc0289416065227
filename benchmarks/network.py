"""A camera behind a cable of its own: a network namespace (iproute2, as root) whose link fails as real ones do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

_NOBODY: Final = "02:00:00:00:00:01"
_NUMBERS: Final = count()


@dataclass(frozen=True, slots=True)
class Cable:
    """A link to a namespace.

    Attributes:
        here, there: the addresses of its ends.
    """

    name: str
    here: str
    there: str

    @property
    def within(self) -> Sequence[str]:
        """What starts a command at the far end; it becomes that command, so that signals reach it."""
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """Take the link down."""
        self._far("ip", "link", "set", "far", "down")

    def plug(self) -> None:
        """Take it up again."""
        self._far("ip", "link", "set", "far", "up")

    def drop(self) -> None:
        """Lose every packet that the far end sends, without a word to either end."""
        self._far("ip", "neigh", "replace", self.here, "lladdr", _NOBODY, "nud", "permanent", "dev", "far")

    def deliver(self) -> None:
        """Lose none any more."""
        self._far("ip", "neigh", "del", self.here, "dev", "far")

    def throttle(self, rate: str) -> None:
        """Let the far end send no more than a rate, such as 200kbit."""
        shape = ["tbf", "rate", rate, "burst", "4kb", "latency", "200ms"]
        self._far("tc", "qdisc", "add", "dev", "far", "root", *shape)

    def widen(self) -> None:
        """Let it send as it likes again."""
        self._far("tc", "qdisc", "del", "dev", "far", "root")

    def _far(self, *command: str) -> None:
        _run(*self.within, *command)


def missing_for_cables() -> str:
    """Say why there can be no cable here, or ""."""
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("ip") or not shutil.which("tc"):
        return "needs iproute2"
    try:
        with cable():
            return ""
    except subprocess.CalledProcessError as error:
        return f"needs network namespaces: {error.stderr.strip()}"


@contextmanager
def cable() -> Iterator[Cable]:
    """Lay a cable; it and its namespace are gone when the context ends."""
    number = next(_NUMBERS)
    name, near = f"ppe-{os.getpid()}-{number}", f"ppe{os.getpid() % 100_000}-{number}"
    net, first = f"10.213.{os.getpid() % 256}", 4 * number % 256
    laid = Cable(name, f"{net}.{first + 1}", f"{net}.{first + 2}")
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", near, "type", "veth", "peer", "name", "far", "netns", name)
        _run("ip", "addr", "add", f"{laid.here}/30", "dev", near)
        _run("ip", "link", "set", near, "up")
        _run(*laid.within, "ip", "addr", "add", f"{laid.there}/30", "dev", "far")
        laid.plug()
        _run(*laid.within, "ip", "link", "set", "lo", "up")
        yield laid
    finally:
        _run("ip", "netns", "del", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
