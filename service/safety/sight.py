"""Whether a camera sees: its picture stands still, shows nothing, or shows another place than it did.

What is kept of a picture is a `Glance`. One object a camera remembers; `look` advances it, in seconds and without a
clock. Thresholds and why: docs/decisions/0021-when-a-camera-cannot-see.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from service.safety.moment import Moment
from service.safety.site import FrozenModel
from service.safety.view import Glance, View, detail

Trouble = Literal["blind", "frozen", "moved"]
TROUBLES: Final[tuple[Trouble, ...]] = ("blind", "frozen", "moved")
"""In the order in which one stands for a camera that has several."""

COPIES: Final = 1.0
"""Seconds without a new picture from which they are copies: cameras repeat pictures for less when it is dark."""
STILL: Final = 2.0
"""Seconds of copies from which they say nothing about now: as long as the default `on_delay`."""
LOOK: Final = 0.5
"""Seconds between two looks at what a picture shows; whether it is new is asked of each."""
FLAT: Final = 2.0
"""Detail (grey levels) under which a picture shows nothing ..."""
SHOWS: Final = 3.0
"""... and from which it shows something again."""
OTHER: Final = 0.25
"""Share of the places with structure that agree with the view that was learned, under which it is another one ..."""
ALIKE: Final = 0.5
"""... and from which it is the same, and is learned from."""
BACK: Final = 2.0
"""Seconds after which a blind or frozen camera sees again."""
MOVED_BACK: Final = 10.0
"""Seconds after which a moved camera is back."""
RENEWED: Final = 30 * 60.0
"""Seconds after which what a moved camera shows is its view."""
GAP: Final = 5.0
"""Seconds without a picture after which what was beginning begins anew."""

_Delay = Annotated[float, Field(ge=1, le=3600)]


class SightPolicy(FrozenModel):
    """After how many seconds it is told that a live camera does not see; null never tells it.

    Attributes:
        frozen_after: pictures come, and each is an exact copy of the one before.
        blind_after: black, one colour, covered: there is nothing on it.
        moved_after: it shows another place: knocked or turned.
    """

    frozen_after: _Delay | None = 10.0
    blind_after: _Delay | None = 10.0
    moved_after: _Delay | None = 30.0


WATCHFUL: Final = SightPolicy()


@dataclass(frozen=True, slots=True)
class SightChange:
    """A camera began or ceased to be blind, frozen or moved.

    Attributes:
        since: when the picture came to be so; after a restart, when it was first looked at again.
        at: when that had lasted, or been over, for long enough to tell.
    """

    trouble: Trouble
    begins: bool
    since: Moment
    at: Moment


@dataclass(slots=True)
class _Lasting:
    """Something that holds once it has held for `after` seconds, until it has not for `back` seconds."""

    after: float | None
    back: float
    on: bool = False
    since: Moment | None = None
    differs: Moment | None = None

    def step(self, holds: bool | None, at: Moment, began: Moment | None = None) -> bool:
        """Take whether it holds now (None: nobody can tell, and what was beginning begins anew); return if it turned.

        Args:
            began: since when it holds, where that is before `at`.
        """
        if self.after is None or holds is None or holds == self.on:
            self.differs = None
            return False
        self.differs = self.differs or began or at
        if at.since(self.differs) + 1e-9 < (self.back if self.on else self.after):
            return False
        self.on = not self.on
        self.since = self.differs if self.on else self.since or self.differs
        self.differs = None
        return True


class Sight:
    """What one live camera's pictures say of the camera.

    Args:
        policy: after how long it is told.
    """

    def __init__(self, policy: SightPolicy = WATCHFUL) -> None:
        self._lasting: dict[Trouble, _Lasting] = {
            "blind": _Lasting(policy.blind_after, BACK),
            "frozen": _Lasting(policy.frozen_after, BACK),
            "moved": _Lasting(policy.moved_after, MOVED_BACK),
        }
        self._view = View()
        self._accepted: Moment | None = None
        self._digest: int | None = None
        self._new: Moment | None = None
        self._last: Moment | None = None
        self._looked: Moment | None = None
        self._flat = False

    def restore(self, told: Collection[str], at: Moment) -> None:
        """Take over what was told before a restart, so that its end is told. The view is learned anew."""
        for trouble, lasting in self._lasting.items():
            lasting.on = trouble in told and lasting.after is not None
            lasting.since = at if lasting.on else None

    @property
    def trouble(self) -> tuple[Trouble, Moment] | None:
        """What is wrong with the camera and since when; None when it sees."""
        for trouble in TROUBLES:
            lasting = self._lasting[trouble]
            if lasting.on and lasting.since is not None:
                return trouble, lasting.since
        return None

    @property
    def stale(self) -> bool:
        """Whether the last picture says nothing about now: it is a copy of an old one, or a blind camera's."""
        return self._copied(STILL) or (self._lasting["blind"].on and self._flat)

    def look(self, glance: Glance, at: Moment) -> tuple[SightChange, ...]:
        """Take the next picture; return what began or is over."""
        if self._last is not None and at.since(self._last) > GAP:
            self._digest, self._looked = None, None
            for lasting in self._lasting.values():
                lasting.differs = None
        self._last = at
        if glance.digest != self._digest or self._new is None:
            self._digest, self._new = glance.digest, at
        looks = self._looked is None or at.since(self._looked) + 1e-9 >= LOOK
        if looks:
            self._looked = at
            self._flat = detail(glance) < (SHOWS if self._flat else FLAT)
        copies = self._copied(COPIES)
        turned: list[Trouble] = []
        if self._lasting["blind"].step(self._flat, at):
            turned.append("blind")
        # a picture of nothing has no noise either: it is blind, whether it is a copy or not
        if self._lasting["frozen"].step(None if self._flat else copies, at, self._new if copies else None):
            turned.append("frozen")
        if looks and self._lasting["moved"].step(self._elsewhere(glance, at, copies=copies), at):
            turned.append("moved")
        return tuple(self._change(trouble, at) for trouble in turned)

    def _copied(self, seconds: float) -> bool:
        if self._lasting["frozen"].after is None or self._last is None or self._new is None:
            return False
        return self._last.since(self._new) + 1e-9 >= seconds

    def _elsewhere(self, glance: Glance, at: Moment, *, copies: bool) -> bool | None:
        """Tell whether the picture is of another place than the view; None when that can't be told from it."""
        moved = self._lasting["moved"]
        if moved.after is None or self._flat or copies:
            return None
        if not moved.on:
            self._accepted = at
        elif at.since(self._accepted or at) >= RENEWED:
            self._view, self._accepted = View(), at
        alike = self._view.alike(glance)
        if alike is None:
            if not self._view.known or self._view.bare:
                self._view.learn(glance, at)
            return None
        if alike >= ALIKE:
            self._view.learn(glance, at)
            return False
        return True if alike < OTHER else moved.on

    def _change(self, trouble: Trouble, at: Moment) -> SightChange:
        lasting = self._lasting[trouble]
        return SightChange(trouble, lasting.on, lasting.since or at, at)
