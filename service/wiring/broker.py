"""The MQTT broker of a site: its entry becomes a connection, a sender and a mirror."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.health import CameraHealth
from service.ports import Sender
from service.safety.equipment import EQUIPMENT
from service.sitefile import BROKER, BrokerEntry, SiteFile
from service.wiring.cameras import origin_of
from service.wiring.faults import WiringError

if TYPE_CHECKING:
    from service.delivery.broker import Broker
    from service.delivery.mirror import Mirror, Seen
    from service.delivery.topics import Told, Topics


@dataclass(slots=True)
class Automation:
    """A broker that is told; without one, nobody.

    Attributes:
        senders: by the name in the outbox.
    """

    senders: dict[str, Sender]
    broker: Broker | None = None
    topics: Topics | None = None
    _mirror: Mirror | None = None

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Hold the connection while the context lasts."""
        if self.broker is None:
            yield
            return
        self.broker.start(self.greeted)
        try:
            yield
        finally:
            self.broker.close()

    @contextmanager
    def mirroring(self, alerts: Seen, health: CameraHealth, site: Callable[[], SiteFile]) -> Iterator[None]:
        """Tell how things stand while the context lasts."""
        if self.broker is None or self.topics is None:
            yield
            return
        from service.delivery.mirror import Mirror, Sights

        sights = Sights(lambda: [told_of(site(), camera) for camera in site().cameras], health.reports, alerts)
        mirror = self._mirror = Mirror(self.broker, self.topics, sights)
        stop = threading.Event()
        thread = threading.Thread(target=mirror.run, args=(stop,), name="mqtt-mirror", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            mirror.wake()
            thread.join(5)

    def greeted(self) -> None:
        """Have everything said anew."""
        if self._mirror is not None:
            self._mirror.say_anew()

    def told(self) -> None:
        """Have alerts looked at again."""
        if self._mirror is not None:
            self._mirror.wake()


def automation_of(site: SiteFile) -> Automation:
    """Return the broker of a site; none when the site names none or is only observed.

    Raises:
        WiringError: its authority's file can't be read.
    """
    if site.broker is None:
        return Automation({})
    from service.delivery.mirror import BrokerSender
    from service.delivery.topics import Topics

    topics = Topics(site.broker.prefix, site.broker.discovery_prefix)
    broker = broker_of(site.broker, topics)
    found = Automation({}, broker, topics)
    found.senders[BROKER] = BrokerSender(broker, topics, found.told)
    return found


def broker_of(entry: BrokerEntry, topics: Topics) -> Broker:
    """Return a broker that is not connected yet.

    Raises:
        WiringError: its authority's file can't be read.
    """
    from service.delivery.broker import Broker

    password = os.environ.get(entry.password_env, "") if entry.password_env else ""
    try:
        return Broker(
            (entry.host, entry.port),
            topics,
            login=(entry.user, password) if entry.user else None,
            secure=entry.secure,
            ca_file=Path(entry.ca_file) if entry.ca_file else None,
        )
    except OSError as error:
        raise WiringError(f"mqtt.ca_file: no certificates can be read from it ({error.strerror})") from error


def told_of(site: SiteFile, camera: str) -> Told:
    """Return what a broker knows of a camera."""
    from service.delivery.topics import Told

    asked = {one.equipment for zone in site.scene(camera).zones for one in zone.require if not zone.exempt}
    equipment = tuple(one for one in EQUIPMENT if one in asked or not site.scene(camera).zones)
    return Told(camera, origin_of(site, camera).camera.name, equipment)
