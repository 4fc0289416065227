"""What a broker is told: each message once, in order, and beside that how things stand, retained and always anew.

Messages come from the outbox, and are tried until the broker has taken them. The rest is a mirror of what is so now:
after an outage it is said anew, and nobody need know what was missed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from service.delivery.broker import Broker
from service.delivery.topics import Publication, Told, Topics
from service.health import CameraReport
from service.ports import Attempt, Message
from service.safety.alerts import Alert

LOOK: Final = 1.0
"""Seconds between looks at how cameras do."""

log = structlog.get_logger("mqtt")


class BrokerSender:
    """`ports.Sender` that publishes messages.

    Args:
        told: is called after each message that the broker took.
    """

    def __init__(self, broker: Broker, topics: Topics, told: Callable[[], None]) -> None:
        self._broker = broker
        self._topics = topics
        self._told = told

    def send(self, message: Message) -> Attempt:
        """Publish it and wait until the broker has taken it."""
        try:
            news = self._topics.news(message)
        except ValueError as error:
            return Attempt(done=False, why=str(error), give_up=True)
        why = self._broker.publish(news)
        if not why:
            self._told()
        return Attempt(done=not why, why=why)


class Seen(Protocol):
    """What a mirror looks at."""

    def open_alerts(self, camera: str) -> list[Alert]:
        """Return a camera's open alerts, oldest first."""
        ...

    def picture(self, alert: str, kind: str) -> bytes | None:
        """Return a still of an alert as JPEG, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Sights:
    """Where a mirror looks: the cameras that there are, how they do, and their alerts."""

    cameras: Callable[[], Iterable[Told]]
    reports: Callable[[], Iterable[CameraReport]]
    alerts: Seen


class Mirror:
    """Keeps what is retained at a broker as things are. `run` it in a thread, or call `look`; not both at once."""

    def __init__(self, broker: Broker, topics: Topics, sights: Sights) -> None:
        self._broker = broker
        self._topics = topics
        self._sights = sights
        self._said: dict[str, str | bytes] = {}
        self._retained: dict[str, set[str]] = {}  # by camera, the topics that the broker may hold
        self._shown: dict[str, str] = {}
        self._anew = False
        self._woken = threading.Event()

    def wake(self) -> None:
        """Say that something changed. Safe from every thread; returns at once."""
        self._woken.set()

    def say_anew(self) -> None:
        """Have everything said once more. Safe from every thread; returns at once."""
        self._anew = True
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set; who sets it wakes this as well."""
        while not stop.is_set():
            self._woken.clear()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - whatever the store raises, it is looked at again
                log.error("mqtt.cannot_look", fault=type(error).__name__)
            if not stop.is_set():
                self._woken.wait(LOOK)

    def look(self) -> None:
        """Publish what is not as the broker was told last."""
        if not self._broker.connected:
            return
        if self._anew:
            self._anew = False
            self._said.clear()
            self._shown.clear()
        cameras = {one.id: one for one in self._sights.cameras()}
        things = {camera.id: [*self._topics.discoveries(camera), *self._alerts(camera)] for camera in cameras.values()}
        for camera in cameras.values():  # what was retained before this service began is not known
            self._retained.setdefault(camera.id, self._topics.possible(camera))
        self._take_back(things)
        for camera_id, of_it in things.items():
            self._say(camera_id, of_it)
        for report in self._sights.reports():
            if report.camera in cameras:
                self._say(report.camera, [self._topics.state(report)])

    def _alerts(self, camera: Told) -> list[Publication]:
        alerts = self._sights.alerts.open_alerts(camera.id)
        lacking = {alert.equipment for alert in alerts}
        said = [self._topics.lacking(camera.id, one, open=one in lacking) for one in camera.equipment]
        if alerts and self._shown.get(camera.id) != alerts[-1].id:
            with suppress(Exception):  # a picture that can't be read costs the picture
                if jpeg := self._sights.alerts.picture(alerts[-1].id, "annotated"):
                    said.append(self._topics.image(camera.id, jpeg))
                    self._shown[camera.id] = alerts[-1].id
        return said

    def _say(self, camera: str, publications: Iterable[Publication]) -> None:
        for one in publications:
            if not one.retain:
                self._broker.publish(one)
            elif self._said.get(one.topic) != one.payload:
                self._retained[camera].add(one.topic)  # what was not taken may arrive all the same
                if not self._broker.publish(one):
                    self._said[one.topic] = one.payload

    def _take_back(self, things: Mapping[str, Iterable[Publication]]) -> None:
        """Take back what is retained of cameras that are gone, and of equipment that is asked for no more."""
        for camera, retained in list(self._retained.items()):
            wanted = {one.topic for one in things.get(camera, ())}
            if camera in things:
                wanted.add(self._topics.camera(camera, "state"))
            for topic in sorted(retained - wanted):
                if not self._broker.publish(Publication(topic, "")):
                    retained.discard(topic)
                    self._said.pop(topic, None)
            if not retained and camera not in things:
                del self._retained[camera]
                self._shown.pop(camera, None)
