"""What may be changed of a site while it is watched, and by whom it is done: a door, as in `inquiry`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from service.safety.site import Scene

Why = Literal["invalid", "changed", "unwritable"]
"""Why a change is refused: the site would have mistakes, the file is another one than was read, or can't be written."""


class ChangeRefused(Exception):  # noqa: N818 - it reads as what happened
    """Nothing was changed: the site is watched as it was. One sentence, without what may hold a secret."""

    def __init__(self, why: Why, detail: str) -> None:
        self.why = why
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change came to.

    Attributes:
        version: of the site file, as it stands now.
        added, changed, removed: cameras that are watched from now on, anew, or no more. All others went on.
        later: parts of the file that differ and are read at the next start.
    """

    version: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class SiteUpkeep(Protocol):
    """Changes a site. Safe from many threads; one change is made at a time."""

    @property
    def version(self) -> str:
        """A digest of the site file as it is in effect."""
        ...

    def entry(self, camera: str) -> Mapping[str, Any] | None:
        """Return what the site file says of a camera, as JSON values without defaults; None: it has no such camera."""
        ...

    def put(self, camera: str, entry: Mapping[str, Any], version: str | None = None) -> Changed:
        """Add or change a camera, in the file and at work; the others do not notice.

        Args:
            version: the file must still be this one.

        Raises:
            ChangeRefused: nothing was changed.
        """
        ...

    def scene(self, camera: str, entry: Mapping[str, Any]) -> Scene:
        """Return by what a camera would be judged if this were its entry. Nothing is changed.

        Raises:
            ChangeRefused: the site would have mistakes.
        """
        ...

    def remove(self, camera: str, version: str | None = None) -> Changed:
        """Take a camera away; its open alerts end.

        Raises:
            ChangeRefused: nothing was changed.
        """
        ...

    def reload(self) -> Changed:
        """Read the file again, and change what it says otherwise.

        Raises:
            ChangeRefused: the file has mistakes; the last good one stays in effect.
        """
        ...
