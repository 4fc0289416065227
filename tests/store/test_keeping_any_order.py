"""Whatever happens, in whatever order and with kills between: what is open or held stays, rows and files agree."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.ports import Still
from service.safety.alerts import Alert, AlertChange
from service.safety.moment import Moment
from service.store.disk import Disk
from service.store.erasure import ERASED, Scope
from service.store.retention import CONTINUED_MS, DAY_MS, Limits
from service.store.store import Store
from tests.store.made import START_MS, HeldClock, alert

pytestmark = pytest.mark.thorough

LIMITS = Limits(evidence_days=10, evidence_bytes=5_000, free_bytes=0, alert_days=40)
HOUR_MS = 3_600_000
CAMERAS = st.sampled_from(["gate", "dock"])
WHICH = st.integers(0, 11)


class Killed(BaseException):
    """The process ends here."""


class Fragile(Disk):
    """A disk on which the process is killed at the removal of a file, after so many more."""

    left: int | None = None

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if self.left == 0:
                self.left = None
                raise Killed
            if self.left is not None:
                self.left -= 1
            super().remove([path])


class AnyOrder(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name)
        self.clock = HeldClock(START_MS)
        self.known: dict[str, Alert] = {}
        self.held: set[str] = set()
        self.erased: set[str] = set()
        self.open()

    def open(self) -> None:
        self.disk = Fragile(self.folder / "evidence")
        self.store = Store(self.folder, [], clock=self.clock, disk=self.disk)
        self.store.keeping._limits = LIMITS  # without the thread that would step by itself

    def needed(self) -> set[str]:
        """The alerts whose evidence nobody may remove now."""
        now = self.clock.wall_ms
        return self.held | {
            name
            for name, one in self.known.items()
            if one.ended is None or (one.ending == "lost_sight" and abs(now - one.seen.wall_ms) <= CONTINUED_MS)
        }

    def there(self) -> set[str]:
        return {name for name in self.known if self.store.evidence_path(name, "clean") is not None}

    def pick(self, which: int) -> str | None:
        names = sorted(self.known)
        return names[which % len(names)] if names else None

    def unharmed(self, before: set[str]) -> None:
        """What was there and is needed is there still."""
        assert before & self.needed() <= self.there()

    @rule(camera=CAMERAS, size=st.integers(1, 2_000), again=st.booleans(), which=WHICH)
    def fire(self, camera: str, size: int, again: bool, which: int) -> None:
        name = self.pick(which) if again else None
        if name is not None:  # a worker that does not know whether it was heard
            one = self.known[name]
        else:
            at = Moment(self.clock.wall_ms / 1000, self.clock.wall_ms)
            one = replace(alert(len(self.known) + 1, camera), since=at, fired=at, seen=at)
            self.known[one.id] = one
        first = replace(one, ended=None, ending=None)
        before = self.there()
        self.store.record([AlertChange("fired", first, first.fired)], [Still(one.id, "clean", bytes(size))], [])
        self.unharmed(before)
        if name is None:
            assert one.id in self.there()

    @rule(which=WHICH, lost=st.booleans())
    def end(self, which: int, lost: bool) -> None:
        name = self.pick(which)
        if name is None or self.known[name].ended is not None:
            return
        at = Moment(self.clock.wall_ms / 1000, self.clock.wall_ms)
        ended = replace(self.known[name], seen=at, ended=at, ending="lost_sight" if lost else "worn")
        self.store.record([AlertChange("lost_sight" if lost else "resolved", ended, at)], [], [])
        self.known[name] = ended

    @rule(which=WHICH)
    def hold(self, which: int) -> None:
        if (name := self.pick(which)) is not None:
            self.store.keeping.hold(name)
            self.held.add(name)

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        if (name := self.pick(which)) is not None:
            assert self.store.keeping.release(name) == (name in self.held)
            self.held.discard(name)

    @rule(which=WHICH, camera=CAMERAS, back_ms=st.integers(1, 20 * DAY_MS), kind=st.integers(0, 2), kill=WHICH)
    def erase(self, which: int, camera: str, back_ms: int, kind: int, kill: int) -> None:
        name, now = self.pick(which), self.clock.wall_ms
        if name is None:
            return
        scopes = [Scope(alert=name), Scope(camera=camera), Scope(camera=camera, from_ms=now - back_ms, to_ms=now)]
        before, needed = self.there(), self.needed()
        self.disk.left = kill if kill < 4 else None
        with suppress(Killed):
            done = self.store.keeping.erase(scopes[kind], "a test")
            assert done.tombstone.finished_ms is not None
            if kind == 0:
                assert ((name,) if name in needed else ()) == (*done.still_open, *done.held)
            if kind == 1:
                away = {one for one in self.known if self.known[one].camera == camera} - needed
                assert not away & self.there()
                self.erased |= away
        self.disk.left = None
        self.unharmed(before)

    @rule(kill=WHICH)
    def step(self, kill: int) -> None:
        before = self.there()
        self.disk.left = kill if kill < 4 else None
        with suppress(Killed):
            self.store.keeping.step()
        self.disk.left = None
        self.unharmed(before)
        self.forget_rows()

    def forget_rows(self) -> None:
        kept = {one.id for one in self.store.alerts(1000)}
        for name in self.known.keys() - kept:
            assert name not in self.needed()
            assert self.clock.wall_ms - self.known[name].fired.wall_ms > 40 * DAY_MS
            del self.known[name]
            self.erased.discard(name)

    @rule()
    def sweep(self) -> None:
        before = self.there()
        self.store.keeping.sweep()
        assert self.there() == before

    @rule(day=st.integers(1, 9), hours=st.integers(0, 3))
    def orphan(self, day: int, hours: int) -> None:
        place = self.folder / "evidence" / f"2025-06-0{day}" / "stray" / "clean.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"left by a crash")
        written = self.clock.wall_ms / 1000 - hours * 3600
        os.utime(place, (written, written))

    @rule(hours=st.integers(-30, 30), days=st.sampled_from([0, 0, 0, 5, 20, -20]))
    def move_the_clock(self, hours: int, days: int) -> None:
        self.clock.wall_ms += hours * HOUR_MS + days * DAY_MS

    @rule()
    def restart(self) -> None:
        before = self.there()
        self.store.close()
        self.open()
        assert self.there() == before

    @invariant()
    @precondition(lambda self: hasattr(self, "store"))
    def no_row_is_without_its_file(self) -> None:
        assert self.store.keeping.status().files == len(self.there())

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        while self.store.keeping.step():
            self.forget_rows()
        self.forget_rows()
        status = self.store.keeping.status()
        assert status.size <= LIMITS.evidence_bytes or self.there() <= self.needed()
        assert all(tombstone.finished_ms is not None for tombstone in status.erasures)
        assert {one.person for one in self.store.alerts(1000) if one.id in self.erased} <= {ERASED}
        self.store.close()
        written = self.clock.wall_ms / 1000 - 2 * 3600
        for place in (self.folder / "evidence").rglob("*"):
            os.utime(place, (written, written))
        self.open()
        on_disk = {place.parent.name for place in (self.folder / "evidence").rglob("*.*")}
        assert on_disk == self.there()
        assert status.size == sum(place.stat().st_size for place in (self.folder / "evidence").rglob("*.jpg"))
        self.store.close()
        self.home.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=15, stateful_step_count=30)
