"""What keeps a site from being started."""

from __future__ import annotations


class WiringError(Exception):
    """A site can't be started as it is configured; one sentence."""
