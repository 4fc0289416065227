"""A real broker: its will, what it retains, what comes back after its restart, and messages at least once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.delivery.broker import Broker
from service.delivery.courier import Courier
from service.delivery.mirror import BrokerSender, Mirror, Sights
from service.delivery.topics import Publication, Told, Topics
from service.events import Origin, alert_message
from service.health import CameraReport
from service.ports import CameraState, Message, Still
from service.safety.alerts import AlertChange
from service.safety.moment import Moment
from service.safety.site import Scene
from service.store.store import Store
from tests.delivery.mosquitto import Listener, Mosquitto, needs_mosquitto, until
from tests.delivery.scripted import RealClock
from tests.delivery.test_courier import running
from tests.store.made import JPEG, START_MS, alert, ended, fired

pytestmark = needs_mosquitto

TOPICS = Topics("ppe", "homeassistant")
ORIGIN = Origin(Scene(camera="gate"), "North gate")
SENSOR = "homeassistant/binary_sensor/ppe_gate/helmet/config"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Iterator[Listener]:
    found = Listener(mosquitto.port)
    yield found
    found.close()


@contextmanager
def connected(mosquitto: Mosquitto, **how: object) -> Iterator[Broker]:
    broker = Broker(mosquitto.address, TOPICS, again=(1, 1), **how)  # type: ignore[arg-type]
    with capture_logs():
        broker.start(lambda: None)
        until(lambda: broker.connected)
        yield broker
        broker.close()


def tell(store: Store, change: AlertChange) -> Message:
    message = alert_message(change, ORIGIN, 640, 360)
    stills = [Still(change.alert.id, "annotated", JPEG)] if change.kind == "fired" else []
    store.record([change], stills, [message])
    return message


class Camera:
    """One camera that does as it is told, and may be taken away."""

    def __init__(self) -> None:
        self.state = CameraState("connecting", Moment(0, START_MS))
        self.there = True

    def sights(self, store: Store) -> Sights:
        report = lambda: CameraReport("gate", self.state, None, 0, None, ())  # noqa: E731
        told = Told("gate", "North gate", ("helmet",))
        return Sights(lambda: [told] if self.there else [], lambda: [report()], store)


def test_it_is_online_until_it_leaves_and_its_will_says_so_when_it_is_cut_off(
    mosquitto: Mosquitto, listener: Listener
) -> None:
    with connected(mosquitto):
        until(lambda: listener.all("ppe/available") == [b"online"])
    until(lambda: listener.last("ppe/available") == b"offline")
    with connected(mosquitto) as broker:
        until(lambda: listener.last("ppe/available") == b"online")
        sock = broker._client.socket()
        assert sock is not None
        broker._client.reconnect_delay_set(30, 30)
        sock.shutdown(2)  # as if the machine had lost its network
        until(lambda: listener.last("ppe/available") == b"offline")


def test_things_are_retained_as_they_are_and_said_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    camera = Camera()
    with Store(tmp_path / "store", ["mqtt"]) as store, connected(mosquitto) as broker:
        mirror = Mirror(broker, TOPICS, camera.sights(store))
        mirror.look()
        camera.state = CameraState("live", Moment(0, START_MS + 1))
        tell(store, fired(alert(1)))
        mirror.look()
        late = Listener(mosquitto.port)
        until(lambda: late.last("ppe/camera/gate/state") and late.last(SENSOR))
        assert json.loads(late.last("ppe/camera/gate/state") or b"")["state"] == "live"
        assert late.last("ppe/camera/gate/helmet") == b"ON"
        assert late.last("ppe/camera/gate/image") is None  # not retained
        assert json.loads(late.last(SENSOR) or b"")["device_class"] == "safety"
        mirror.look()
        tell(store, ended(alert(1)))
        mirror.look()
        until(lambda: late.last("ppe/camera/gate/helmet") == b"OFF")
        # what is kept for who comes late may come as late as it likes; it says so itself
        assert [one.topic for one in late.heard if not one.retain] == ["ppe/camera/gate/helmet"]
        camera.there = False
        mirror.look()
        until(lambda: late.last(SENSOR) == b"" and late.last("ppe/camera/gate/state") == b"")
        late.close()


def test_everything_is_said_anew_to_a_broker_that_forgot_and_when_home_assistant_starts(
    mosquitto: Mosquitto, listener: Listener, tmp_path: Path
) -> None:
    camera = Camera()
    with Store(tmp_path / "store", ["mqtt"]) as store:
        tell(store, fired(alert(1)))
        broker = Broker(mosquitto.address, TOPICS, again=(1, 1))
        mirror = Mirror(broker, TOPICS, camera.sights(store))
        stop = threading.Event()
        thread = threading.Thread(target=mirror.run, args=(stop,))
        with capture_logs():
            broker.start(mirror.say_anew)
            thread.start()
            until(lambda: listener.last("ppe/camera/gate/image") == JPEG and listener.last(SENSOR))
            mosquitto.stop()
            for kept in (tmp_path / "mosquitto").glob("*.db"):
                kept.unlink()
            listener.heard.clear()
            mosquitto.start()
            until(
                lambda: listener.last("ppe/camera/gate/image") == JPEG and listener.last("ppe/available") == b"online"
            )
            until(lambda: listener.last("ppe/camera/gate/helmet") == b"ON" and listener.last(SENSOR))
            listener.heard.clear()
            listener.client.publish("homeassistant/status", "online", qos=1)
            until(lambda: listener.last(SENSOR) and listener.last("ppe/camera/gate/state"))
            stop.set()
            mirror.wake()
            thread.join()
            broker.close()


@pytest.mark.thorough
def test_messages_arrive_at_least_once_and_in_order_over_a_restart(
    mosquitto: Mosquitto, listener: Listener, tmp_path: Path
) -> None:
    clock = RealClock()
    with Store(tmp_path / "store", ["mqtt"]) as store, connected(mosquitto) as broker:
        sender = BrokerSender(broker, TOPICS, lambda: None)
        courier = Courier(store, {"mqtt": sender}, clock, grace=0.1)

        def arrived() -> list[str]:
            return [json.loads(one)["after"]["id"] for one in listener.all("ppe/events")]

        with running(courier):
            for number in range(20):
                tell(store, fired(alert(number)))
                courier.wake()
                if number == 10:
                    until(lambda: alert(5).id in arrived())
                    mosquitto.stop()
            assert alert(19).id not in arrived()
            mosquitto.start()
            until(lambda: broker.connected)
            until(lambda: store.backlog()["mqtt"].pending == 0, 60)
        until(lambda: alert(19).id in arrived())
        assert list(dict.fromkeys(arrived())) == [alert(number).id for number in range(20)]


def test_a_broker_that_is_away_takes_no_time_and_says_why(tmp_path: Path) -> None:
    away = Mosquitto(tmp_path / "away")
    broker = Broker(away.address, TOPICS)
    sender = BrokerSender(broker, TOPICS, lambda: pytest.fail("it was told"))
    with capture_logs():
        broker.start(lambda: None)
        message = alert_message(fired(alert(1)), ORIGIN, 640, 360)
        assert sender.send(message).why == "the broker is not connected"
        assert sender.send(Message("a", "alert.fired", "gate", 0, "{}")).give_up
        broker.close()
    assert "can't be connected to" in Broker(away.address, TOPICS).try_out()


def test_a_login_that_is_refused_is_told_without_it(tmp_path: Path) -> None:
    guarded = Mosquitto(tmp_path / "guarded", "allow_anonymous false").start()
    broker = Broker(guarded.address, TOPICS, login=("kim", "canary"))
    with capture_logs() as logs:
        broker.start(lambda: None)
        until(lambda: "refuses" in broker.trouble)
        assert broker.publish(Publication("ppe/x", "y")) == "the broker refuses the connection (Not authorized)"
        broker.close()
    assert "canary" not in str(logs)
    again = Broker(guarded.address, TOPICS, login=("kim", "canary"))
    assert again.try_out() == "the broker refuses the connection (Not authorized)"
    guarded.stop()


def test_trying_it_out_publishes_nothing(mosquitto: Mosquitto, listener: Listener) -> None:
    assert Broker(mosquitto.address, TOPICS).try_out() == ""
    listener.client.publish("end", "x", qos=1)
    until(lambda: listener.last("end"))
    assert [one.topic for one in listener.heard] == ["end"]


def test_tls_is_verified(tmp_path: Path, certificate: Path) -> None:
    lines = (f"certfile {certificate}", f"keyfile {certificate}", "allow_anonymous true")
    secure = Mosquitto(tmp_path / "tls", *lines).start()
    trusted = Broker(secure.address, TOPICS, secure=True, ca_file=certificate.with_suffix(".crt"))
    assert trusted.try_out() == ""
    assert "can't be connected to" in Broker(secure.address, TOPICS, secure=True).try_out()
    secure.stop()
