"""What a broker holds is what is so now: nothing stays that is so no more, whenever the broker was away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from service.delivery.mirror import Mirror, Sights
from service.delivery.topics import Publication, Told, Topics
from service.health import CameraReport
from service.ports import CameraState
from service.safety.alerts import Alert
from service.safety.moment import Moment
from tests.store.made import START_MS, alert

TOPICS = Topics("ppe", "homeassistant")
NORTH = Told("north", "North", ("helmet", "vest"))


@dataclass
class FakeBroker:
    """`Broker` in memory: `held` is what it retains. While it is `dull` it is there and takes nothing."""

    connected: bool = True
    dull: bool = False
    held: dict[str, str | bytes] = field(default_factory=dict)
    heard: list[Publication] = field(default_factory=list)

    def publish(self, one: Publication) -> str:
        if not self.connected or self.dull:
            return "it was not taken"
        self.heard.append(one)
        if one.retain and one.payload:
            self.held[one.topic] = one.payload
        elif one.retain:
            self.held.pop(one.topic, None)
        return ""


@dataclass
class Site:
    """Cameras that are there, with the alerts that are open."""

    cameras: list[Told] = field(default_factory=lambda: [NORTH])
    alerts: list[Alert] = field(default_factory=list)

    def open_alerts(self, camera: str) -> list[Alert]:
        return [one for one in self.alerts if one.camera == camera]

    def picture(self, alert: str, kind: str) -> None:
        return None

    def mirror(self, broker: FakeBroker) -> Mirror:
        state = CameraState("live", Moment(0, START_MS))
        reports = lambda: [CameraReport(one.id, state, None, 0, None, ()) for one in self.cameras]  # noqa: E731
        return Mirror(broker, TOPICS, Sights(lambda: self.cameras, reports, self))  # type: ignore[arg-type]


def of(broker: FakeBroker, what: str) -> list[str]:
    return [topic for topic in broker.held if what in topic]


def test_equipment_that_is_asked_for_no_more_is_taken_back() -> None:
    broker, site = FakeBroker(), Site(alerts=[replace(alert(1, "north"), equipment="vest")])
    mirror = site.mirror(broker)
    mirror.look()
    assert broker.held["ppe/camera/north/vest"] == "ON"
    site.cameras, site.alerts = [replace(NORTH, equipment=("helmet",))], []
    mirror.look()
    assert of(broker, "vest") == []
    assert broker.held["ppe/camera/north/helmet"] == "OFF"
    before = len(broker.heard)
    mirror.look()
    assert len(broker.heard) == before
    site.cameras = [NORTH]
    mirror.look()
    assert len(of(broker, "vest")) == 2


def test_equipment_that_was_asked_for_before_a_restart_is_taken_back() -> None:
    broker, site = FakeBroker(), Site()
    site.mirror(broker).look()
    site.cameras = [replace(NORTH, equipment=("helmet",))]
    site.mirror(broker).look()
    assert of(broker, "vest") == []


@pytest.mark.parametrize("away", [True, False])
def test_a_camera_that_goes_while_the_broker_takes_nothing_is_taken_back_later(away: bool) -> None:
    broker, site = FakeBroker(), Site()
    mirror = site.mirror(broker)
    mirror.look()
    assert of(broker, "north")
    broker.connected, broker.dull = not away, not away
    site.cameras = [replace(NORTH, id="south", name="South")]
    mirror.look()
    assert of(broker, "north")
    broker.connected, broker.dull = True, False
    mirror.say_anew()
    mirror.look()
    assert of(broker, "north") == []
    assert of(broker, "south")
    before = len(broker.heard)
    mirror.look()
    assert len(broker.heard) == before


def test_a_camera_that_comes_back_is_there_again() -> None:
    broker, site = FakeBroker(), Site()
    mirror = site.mirror(broker)
    mirror.look()
    before = dict(broker.held)
    site.cameras = []
    mirror.look()
    assert broker.held == {}
    site.cameras = [NORTH]
    mirror.look()
    assert broker.held == before
