"""What a bad day sends to whom: ``python -m benchmarks.bad_day --out FILE``, for a site manager to read.

Two hours in which visitors without vests come and go, a lamp flickers above one camera, another one is down, and two
workers take their helmets off. The clock is made up; site file, events, store, courier and announcers are real. It
prints every message that people get and how many webhooks there are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from benchmarks.figures import tell
from service.delivery.courier import Courier
from service.delivery.fake import FakePoster, FakeSender
from service.events import Origin, alert_message, camera_message, cannot_judge_message, sight_message
from service.inquiry import Mark
from service.ports import Attempt, CameraState, Letter, Message
from service.safety.alerts import Alert, AlertChange
from service.safety.coverage import CannotJudge
from service.safety.equipment import Equipment
from service.safety.moment import Moment
from service.safety.sight import SightChange
from service.sitefile import SiteFile, parse_site
from service.store.store import Store
from service.wiring.cameras import origin_of
from service.wiring.people import People, people_of
from service.wiring.telling import endpoints_of

START = datetime(2026, 3, 2, 8, 0, tzinfo=ZoneInfo("Asia/Seoul"))
HOURS = 3
VISITORS = 20
SITE = """
name: Plant 4
time_zone: Asia/Seoul
public_url: https://ppe.plant4.example
cameras:
  north: {name: North, source: rtsp://192.0.2.1/a, zones: {entrance: {name: Entrance, polygon: [[0,0],[1,0],[1,1]]}}}
  yard: {name: Yard, source: rtsp://192.0.2.2/a, zones: {crane: {name: Crane, polygon: [[0,0],[1,0],[1,1]]}}}
  hall: {name: Hall, source: rtsp://192.0.2.3/a}
  dock: {name: Dock, source: rtsp://192.0.2.4/a}
endpoints:
  control-room: {url: https://control.example/hook, secret_env: BAD_DAY_SECRET}
people:
  site-chat: {url_env: BAD_DAY_CHAT, escalate_to: manager}
  manager: {url_env: BAD_DAY_MANAGER}
  office: {url_env: BAD_DAY_OFFICE, quiet: [{from: 00:00, to: 10:30}]}
"""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something at a second of the day: a change and its message, or somebody takes up what is open in the yard."""

    at: float
    change: AlertChange | None = None
    message: Message | None = None


class DayClock:
    """Stands where the day has come to."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> Moment:
        return moment(self.at)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def moment(seconds: float) -> Moment:
    return Moment(seconds, round(1000 * (START.timestamp() + seconds)))


def alerts(origin: Origin, zone: str, equipment: Equipment, begins: float, lasts: float) -> Iterator[Happening]:
    """A person lacks something for so long and leaves."""
    person = f"{origin.scene.camera}-{equipment}-{begins:.0f}"
    severity = origin.scene.policy.severity[equipment]
    fired = Alert(
        id=hashlib.sha256(person.encode()).hexdigest()[:16],
        camera=origin.scene.camera,
        person=person,
        zone=zone,
        equipment=equipment,
        severity=severity,
        since=moment(begins - 2),
        fired=moment(begins),
        seen=moment(begins),
        box=(400.0, 100.0, 500.0, 400.0),
    )
    over = moment(begins + lasts)
    for change in (
        AlertChange("fired", fired, fired.fired),
        AlertChange("lost_sight", replace(fired, ended=over, ending="lost_sight"), over),
    ):
        yield Happening(change.at.seconds, change, alert_message(change, origin, 1280, 720))


def day(site: SiteFile, luck: random.Random) -> list[Happening]:
    """Return what happens, in order."""
    north, yard, hall, dock = (origin_of(site, camera) for camera in site.cameras)
    found: list[Happening] = []
    for visitor in range(VISITORS):
        arrives = 360.0 * visitor + luck.uniform(0, 120)
        for stop in range(luck.randint(1, 3)):  # who goes behind a pillar comes back as somebody else
            found += alerts(north, "entrance", "vest", arrives + 90 * stop, luck.uniform(40, 80))
    for begins, lasts in ((1500.0, 240.0), (1530.0, 200.0), (5200.0, 2400.0)):
        found += alerts(yard, "crane", "helmet", begins, lasts)
    for number in range(24):  # a lamp that flickers for over an hour
        at = moment(1800 + 180 * number)
        sees = moment(at.seconds + 40)
        found.append(Happening(at.seconds, message=sight_message(SightChange("blind", True, at, at), hall)))
        found.append(Happening(sees.seconds, message=sight_message(SightChange("blind", False, at, sees), hall)))
    for at, status in ((1200.0, "offline"), (6600.0, "live")):
        state = CameraState(status, moment(at), "STREAM_TIMEOUT" if status == "offline" else None)  # type: ignore[arg-type]
        found.append(Happening(at, message=camera_message(state, dock)))
    doubt = CannotJudge("yard", "vest", True, 0.8, 400.0, moment(3600))
    found.append(Happening(3600, message=cannot_judge_message(doubt, yard)))
    return sorted([*found, Happening(6000)], key=lambda one: one.at)


class Said:
    """Keeps what every address was sent, with the time of day."""

    def __init__(self, clock: DayClock) -> None:
        self.clock = clock
        self.letters: dict[str, list[dict[str, str]]] = {}

    def poster(self, url: str) -> FakePoster:
        name = url.rpartition("/")[2]
        self.letters[name] = []

        def keep(letter: Letter) -> Attempt:
            at = datetime.fromtimestamp(self.clock.now().wall_ms / 1000, UTC).astimezone(START.tzinfo)
            entry = {"at": f"{at:%H:%M:%S}", "title": letter.title, "text": letter.body}
            self.letters[name].append({**entry, "pictures": str(len(letter.pictures))})
            return Attempt(done=True)

        return FakePoster(keep)


def live_through(store: Store, courier: Courier, people: People, clock: DayClock, happenings: list[Happening]) -> None:
    """Let the day pass."""
    looks = [0.0 for _ in people.announcers]
    coming = list(happenings)
    while clock.at < 3600 * HOURS:
        while coming and coming[0].at <= clock.at:
            one = coming.pop(0)
            if one.change or one.message:
                store.record([one.change] if one.change else [], [], [one.message] if one.message else [])
            else:
                for alert in store.open_alerts("yard"):
                    store.mark(alert.id, Mark("acknowledged", clock.now().wall_ms, "Kim"))
            while courier.deliver_due():
                pass
            looks = [clock.at for _ in looks]
        for number, announcer in enumerate(people.announcers):
            while looks[number] <= clock.at:
                looks[number] = clock.at + announcer.step()
                if looks[number] == clock.at:
                    looks = [clock.at for _ in looks]  # it posted: others may have been handed something
        clock.at = min([3600.0 * HOURS, *looks, *(one.at for one in coming[:1])])


def main() -> None:
    """Live through the day and say what was sent."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path)
    out = options.parse_args().out
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for name in ("CHAT", "MANAGER", "OFFICE"):
        os.environ[f"BAD_DAY_{name}"] = f"json://people.example/{name.lower()}"
    site = parse_site(SITE, Path("bad_day.yaml"))
    clock, hook = DayClock(), FakeSender()
    said = Said(clock)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder), endpoints_of(site), clock=clock) as store:
        people = people_of(site, store.notices, store.picture, clock, said.poster)
        courier = Courier(store, {"control-room": hook, **people.senders}, clock)
        live_through(store, courier, people, clock, day(site, random.Random(4)))
        courier.close()
    for name, letters in said.letters.items():
        print(f"\n=== {name}: {len(letters)} messages in {HOURS} hours")
        for one in letters:
            print(f"\n[{one['at']}] {one['title']}\n{one['text']}")
    print()
    counts = {name: len(letters) for name, letters in said.letters.items()}
    tell({"webhooks": len(hook.attempts), "messages": counts, "letters": said.letters}, out)


if __name__ == "__main__":
    main()
