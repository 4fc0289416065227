"""An MQTT broker in a site file, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.cli.findings import faults
from service.cli.opening import secrets_of
from service.sitefile import SiteFile, SiteFileError, missing_secrets, parse_site
from service.wiring import WiringError
from service.wiring.broker import automation_of, told_of
from service.wiring.telling import endpoints_of
from tests.store.made import message

CAMERAS = """cameras:
  gate: {source: /dev/video0, name: North gate}
  yard: {source: /dev/video1, zones: {crane: {polygon: [[0,0],[1,0],[1,1]], require: [helmet]}}}
"""


def site(entry: str) -> SiteFile:
    return parse_site(f"{CAMERAS}mqtt: {entry}\n", Path("site.yaml"))


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker.example/", "broker.example", 8883, True),
        ("mqtt://192.0.2.1:2883", "192.0.2.1", 2883, False),
        ("mqtts://[::1]:8884", "::1", 8884, True),
    ],
)
def test_an_address(url: str, host: str, port: int, secure: bool) -> None:
    broker = site(f"{{url: '{url}'}}").mqtt
    assert broker
    assert (broker.host, broker.port, broker.secure) == (host, port, secure)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{}", "mqtt.url: is missing"),
        ("{url: 'http://broker'}", "mqtt.url: String should match"),
        ("{url: 'mqtt://kim:canary@broker'}", "mqtt.url: credentials don't belong into the url"),
        ("{url: 'mqtt://broker:99999'}", "mqtt.url: a broker looks like"),
        ("{url: 'mqtt://b', prefix: 'a/#'}", "mqtt.prefix: String should match"),
        ("{url: 'mqtt://b', cameras: [dock]}", "mqtt.cameras.0: there is no camera 'dock'"),
        (
            "{url: 'mqtt://b'}\nendpoints: {mqtt: {url: https://x.example/, secret_env: S}}",
            "endpoints.mqtt: the MQTT broker is told under this name",
        ),
    ],
)
def test_mistakes_are_told_and_no_login(entry: str, words: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        site(entry)
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_it_is_in_the_outbox_and_takes_what_its_filters_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_PASSWORD", "canary-password")
    read = site("{url: 'mqtt://b', user: kim, password_env: BROKER_PASSWORD, cameras: [gate]}")
    (endpoint,) = endpoints_of(read)
    assert (endpoint.name, len(endpoint.address)) == ("mqtt", 32)
    assert [endpoint.wants(message("a", camera)) for camera in ("gate", "yard")] == [True, False]
    assert list(automation_of(read).senders) == ["mqtt"]
    assert "canary-password" in secrets_of(read)
    monkeypatch.delenv("BROKER_PASSWORD")
    assert missing_secrets(read) == ["BROKER_PASSWORD"]


@pytest.mark.parametrize("text", ["mode: observe\nmqtt: {url: 'mqtt://b', password_env: NOT_SET}", "mode: alert"])
def test_who_is_not_told_is_not_connected_to(text: str) -> None:
    read = parse_site(f"{CAMERAS}{text}\n", Path("site.yaml"))
    found = automation_of(read)
    assert (found.senders, found.broker, endpoints_of(read), missing_secrets(read)) == ({}, None, [], [])
    with found.connected():
        pass


def test_a_camera_is_known_by_its_name_and_what_it_asks_for() -> None:
    read = site("{url: 'mqtt://b'}")
    assert told_of(read, "gate").equipment == ("helmet", "vest")
    assert (told_of(read, "yard").equipment, told_of(read, "gate").name) == (("helmet",), "North gate")


def test_an_authority_that_is_not_there_is_told(tmp_path: Path) -> None:
    read = site(f"{{url: 'mqtts://b', ca_file: '{tmp_path}/none.pem'}}")
    assert [keys for keys, _ in faults(read) if keys[0] == "mqtt"] == [("mqtt", "ca_file")]
    with pytest.raises(WiringError, match="no certificates can be read"):
        automation_of(read)
