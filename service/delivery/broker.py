"""A connection to an MQTT broker: it comes back by itself, and who publishes learns what the broker has taken."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from service.delivery.topics import OFFLINE, ONLINE, Publication, Topics

DEADLINE: Final = 10.0
"""Seconds until a broker has taken a publication."""
AWAY: Final = "the broker is not connected"
_KEEP_ALIVE: Final = 20
AGAIN: Final = (1, 30)
"""Shortest and longest seconds between attempts to connect."""
_LAST: Final = 2.0
"""Seconds for saying that the service is gone."""

log = structlog.get_logger("mqtt")


class Broker:
    """One broker. Any thread may publish; nothing but `publish` waits, and for no longer than its deadline.

    Args:
        address: its host and port.
        login: user and password.
        ca_file: a PEM file with the authority to trust; None: those of the system. Verification has no off switch.
        deadline: seconds until a broker has taken a publication.
        again: shortest and longest seconds between attempts to connect.

    Raises:
        OSError: `ca_file` can't be read, or holds no certificate.
    """

    def __init__(
        self,
        address: tuple[str, int],
        topics: Topics,
        *,
        login: tuple[str, str] | None = None,
        secure: bool = False,
        ca_file: Path | None = None,
        deadline: float = DEADLINE,
        again: tuple[int, int] = AGAIN,
    ) -> None:
        self._topics = topics
        self._address = address
        self._deadline = deadline
        self._greeted: Callable[[], None] = lambda: None
        self._refused = ""
        self._client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=True)
        self._client.reconnect_delay_set(*again)
        self._client.will_set(topics.available, OFFLINE, qos=1, retain=True)
        if login:
            self._client.username_pw_set(*login)
        if secure:
            self._client.tls_set_context(ssl.create_default_context(cafile=ca_file))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self, greeted: Callable[[], None]) -> None:
        """Connect, and again whenever the connection is lost.

        Args:
            greeted: is called when everything retained is to be said again: at each connection, and when Home Assistant
                starts. It must return at once.
        """
        self._greeted = greeted
        self._client.connect_async(*self._address, keepalive=_KEEP_ALIVE)
        self._client.loop_start()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    @property
    def trouble(self) -> str:
        """Why nothing can be published now, or ""."""
        return "" if self.connected else self._refused or AWAY

    def try_out(self) -> str:
        """Connect once, log in and leave, publishing nothing; return why that is not possible, or ""."""
        done = threading.Event()
        self._client.will_clear()

        def on_connect(_: Client, __: Any, ___: ConnectFlags, reason: ReasonCode, ____: Properties | None) -> None:
            self._refused = f"the broker refuses the connection ({reason})" if reason.is_failure else ""
            done.set()

        self._client.on_connect = on_connect
        try:
            self._client.connect(*self._address, keepalive=_KEEP_ALIVE)
        except OSError as error:
            return f"it can't be connected to ({error.strerror or type(error).__name__})"
        self._client.loop_start()
        answered = done.wait(self._deadline)
        self._client.disconnect()
        self._client.loop_stop()
        return self._refused if answered else f"no answer within {self._deadline:g} s"

    def publish(self, one: Publication) -> str:
        """Publish, and wait until the broker has taken it; return why it has not, or "".

        What was not taken may arrive all the same, once the connection is back.
        """
        if trouble := self.trouble:
            return trouble  # what is handed over now would be sent later, and again when it is tried again
        sent = self._client.publish(one.topic, one.payload, qos=1, retain=one.retain)
        if sent.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN}:
            return AWAY
        ends = time.monotonic() + self._deadline
        while not sent.is_published():
            if not self.connected:
                return "the broker was lost before it took it"
            if time.monotonic() >= ends:
                return f"the broker has not taken it within {self._deadline:g} s"
            sent.wait_for_publish(min(0.5, self._deadline))
        return ""

    def close(self) -> None:
        """Say that the service is gone, and leave. Idempotent."""
        if self.connected:
            sent = self._client.publish(self._topics.available, OFFLINE, qos=1, retain=True)
            if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                sent.wait_for_publish(_LAST)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _: Any, __: ConnectFlags, reason: ReasonCode, ___: Properties | None) -> None:
        if reason.is_failure:
            self._refused = f"the broker refuses the connection ({reason})"
            log.error("mqtt.refused", reason=str(reason))
            return
        self._refused = ""
        log.info("mqtt.connected")
        if self._topics.births:
            client.subscribe(self._topics.births, qos=1)
        client.publish(self._topics.available, ONLINE, qos=1, retain=True)
        self._greeted()

    def _on_disconnect(
        self, _: Client, __: Any, ___: DisconnectFlags, reason: ReasonCode, ____: Properties | None
    ) -> None:
        if reason.is_failure and not self._refused:
            log.warning("mqtt.lost", reason=str(reason))

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        if message.payload == ONLINE.encode():
            self._greeted()
