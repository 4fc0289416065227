"""A channel of people with a real store and its courier, by a clock that stands still until it is moved."""

from __future__ import annotations

from pathlib import Path

from service.delivery.announcer import Announcer, Channel
from service.delivery.catalogue import catalogue
from service.delivery.courier import Courier
from service.delivery.people import PeopleSender
from service.delivery.talk import Manners, Quiet
from service.delivery.wording import Wording
from service.events import Origin, alert_message
from service.ports import Poster, Still
from service.safety.alerts import AlertChange
from service.safety.site import Scene, Zone
from service.store.store import Store
from tests.store.made import START_MS, HeldClock

SCENE = Scene(camera="gate", zones=(Zone(id="yard", name="Yard", polygon=((0, 0), (1, 0), (1, 1))),), time_zone="UTC")
ORIGIN = Origin(SCENE, "North gate", "Plant 4")
JPEG = b"\xff\xd8 annotated"


class Office:
    """A store, its courier and one channel; `open` again is a restart."""

    def __init__(
        self,
        folder: Path,
        poster: Poster,
        manners: Manners | None = None,
        language: str = "en",
        quiet: Quiet = lambda _: False,
    ) -> None:
        self.clock, self.quiet = HeldClock(START_MS), quiet
        self.folder, self.poster, self.manners, self.language = folder, poster, manners or Manners(), language
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder, ["people:office"], clock=self.clock)
        channel = Channel(
            "office",
            self.manners,
            Wording(catalogue(self.language), "Asia/Seoul", "Plant 4", "https://ppe.example"),
            quiet=self.quiet,
            escalates_to=["boss"],
            picture=lambda one: self.store.picture(one, "annotated"),
        )
        self.announcer = Announcer(channel, self.store.notices, self.poster, self.clock)
        sender = PeopleSender(self.store.notices, ["office"], self.announcer.wake)
        self.courier = Courier(self.store, {"people:office": sender}, self.clock)

    def happen(self, change: AlertChange) -> None:
        still = Still(change.alert.id, "annotated", JPEG)
        stills = [still] if change.kind == "fired" else []
        self.store.record([change], stills, [alert_message(change, ORIGIN, 640, 360)])
        while self.courier.deliver_due():
            pass

    def until(self, seconds: float) -> None:
        end = START_MS + round(1000 * seconds)
        while self.clock.wall_ms < end:
            wait = self.announcer.step()
            if wait:
                self.clock.wall_ms = min(end, self.clock.wall_ms + max(1, round(1000 * wait)))
